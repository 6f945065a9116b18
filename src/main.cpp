// Builds the real Host and hands over to the command line; nothing else happens here.
#include "hrvm/cli/command.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/file_size_limit.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/runner.hpp"
#include "hrvm/sys/terminal.hpp"

int main(int argc, char** argv) {
  hrvm::sys::open_closed_streams();
  hrvm::sys::catch_interrupts();
  hrvm::sys::ignore_file_size_signal();
  const auto runner = hrvm::sys::make_process_runner();
  auto host = hrvm::sys::real_host(*runner);
  return hrvm::cli::run(host, {argv + 1, argv + argc});
}
