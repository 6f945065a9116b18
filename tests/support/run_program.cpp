#include "support/run_program.hpp"

#include <fcntl.h>

#include <stdexcept>

#include "hrvm/base/text.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/temporary_directory.hpp"

namespace hrvm::test {
namespace {

constexpr std::chrono::seconds patience{30};

sys::Command command(sys::Runner& runner, const Words& argv) {
  sys::Command command{.argv = argv, .environment = {{"MTOOLS_SKIP_CHECK", "1"}}};
  command.argv.front() = sys::real_host(runner).find_program(argv.front()).value_or(argv.front());
  return command;
}

[[noreturn]] void fail(const Words& argv, const std::string& said) {
  throw std::runtime_error("failed: " + base::shell_quote(argv) + "\n" + said);
}

}  // namespace

std::string run_program(const Words& argv) {
  const auto runner = sys::make_process_runner();
  const sys::Result result = runner->run(command(*runner, argv), patience);
  if (result.exit_status != 0) fail(argv, result.err);
  return result.out;
}

bool try_program(const Words& argv) {
  try {
    run_program(argv);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void feed_program(const Words& argv, const std::string& input) {
  const TemporaryDirectory folder;
  const sys::Fd in = sys::open_file(folder.write("input", input), O_RDONLY);
  const auto runner = sys::make_process_runner();
  sys::Child child = runner->spawn(command(*runner, argv), {.in = in.get()}, false);
  if (child.wait(patience) != 0) fail(argv, "");
}

}  // namespace hrvm::test
