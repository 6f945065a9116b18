#include "hrvm/launch/tpm.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using namespace std::chrono_literals;

constexpr std::chrono::seconds start_limit{10}, end_limit{5};
constexpr std::size_t largest_state_file = base::MiB;  // swtpm's own take a few KiB

machine::Path words_file(const Tpm& tpm) { return machine::Path(tpm.pid_file).parent_path() / "swtpm.log"; }

// swtpm cannot escape a comma in a path: it gets a link beside its socket instead.
machine::Path named_folder(const Tpm& tpm) {
  const bool has_comma = tpm.state_folder.native().find(',') != std::string::npos;
  return has_comma ? machine::Path(tpm.socket).replace_extension("state") : tpm.state_folder;
}

// swtpm inherits it: held for as long as that has the state.
sys::Lock lock_state(const Tpm& tpm) {
  auto lock = sys::Lock::try_take(tpm.state_folder, sys::Lock::Mode::exclusive, end_limit);
  if (lock) return std::move(*lock);
  throw Error(ErrorKind::busy, "the machine's TPM is in use by another run")
      .on(tpm.state_folder)
      .hint("end the swtpm that has it, or boot without: hrvm set MACHINE tpm=off");
}

sys::Child spawn_swtpm(const sys::Host& host, const Tpm& tpm, std::vector<int> inherited) {
  sys::AtomicFile words(words_file(tpm));
  auto child = host.runner.spawn({swtpm_command(tpm), {}, std::move(inherited)}, {-1, words.fd(), words.fd()}, true);
  words.commit();
  return child;
}

std::string hint_for(const std::string& words) {
  if (words.find("ermission denied") == words.npos) return "";
  return "where AppArmor confines swtpm, allow it this folder in /etc/apparmor.d/local/usr.bin.swtpm";
}

Error early_end(const Tpm& tpm, int status) {
  const auto words = base::printable(base::trim(sys::try_read_file(words_file(tpm)).value_or("")));
  const auto said = words.empty() ? fmt::format("it ended with status {} and said nothing", status) : words;
  return Error(ErrorKind::external, "swtpm did not start: " + said).on(tpm.state_folder).hint(hint_for(words));
}

// It writes its pid down once it listens.
void wait_until_listening(sys::Child& swtpm, const Tpm& tpm) {
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  while (!sys::try_read_number(tpm.pid_file)) {
    if (const auto status = swtpm.wait(5ms)) throw early_end(tpm, *status);
    sys::check_interrupted();
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(ErrorKind::external, "swtpm started, but does not listen").on(tpm.socket);
  }
}

}  // namespace

std::vector<std::string> swtpm_command(const Tpm& tpm) {
  return {tpm.program,
          "socket",
          "--tpm2",
          "--tpmstate",
          fmt::format("dir={},mode=0600", named_folder(tpm).string()),
          "--ctrl",
          fmt::format("type=unixio,path={},mode=0600", tpm.socket),
          "--pid",
          "file=" + tpm.pid_file,
          "--terminate"};
}

void link_tpm_folder(const Tpm& tpm) {
  if (const auto named = named_folder(tpm); named != tpm.state_folder) sys::switch_link(named, tpm.state_folder);
}

sys::Fd start_tpm(const sys::Host& host, const Tpm& tpm, const Keep& keep) {
  sys::make_directories(tpm.state_folder);
  link_tpm_folder(tpm);
  const auto lock = lock_state(tpm);
  for (const auto& left_over : {tpm.socket, tpm.pid_file}) sys::remove_all(left_over);
  auto inherited = keep.fds;
  inherited.push_back(lock.fd());
  auto swtpm = spawn_swtpm(host, tpm, inherited);
  auto lifeline = sys::tie_to_lifeline(swtpm);
  wait_until_listening(swtpm, tpm);
  return lifeline;
}

void await_tpm_end(const machine::Path& state_folder) {
  if (sys::status(state_folder).type == sys::FileType::directory)
    sys::Lock::try_take(state_folder, sys::Lock::Mode::exclusive, end_limit);
}

void copy_tpm_state(const machine::Path& from, const machine::Path& to) {
  await_tpm_end(from);
  sys::make_directories(to);
  for (const auto& name : sys::list_directory(from)) {
    if (name.starts_with('.') || sys::link_status(from / name).type != sys::FileType::regular) continue;
    sys::AtomicFile copy(to / name);
    copy.write(sys::read_file(from / name, largest_state_file));
    copy.commit();
  }
}

}  // namespace hrvm::launch
