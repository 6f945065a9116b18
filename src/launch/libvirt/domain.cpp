#include "hrvm/launch/domain.hpp"

#include <fmt/core.h>

#include <array>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/virsh.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::launch {
namespace {

using base::Error;
using base::ErrorKind;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds order_limit{120};
constexpr std::chrono::seconds quit_limit{10};
constexpr std::chrono::seconds look_limit{2};
constexpr std::string_view between_lists = "paused:";
constexpr std::chrono::milliseconds look_interval{200};
constexpr std::chrono::milliseconds second_stop_limit{500};
constexpr std::size_t largest_picture = 64 << 20;

struct StateWord {
  std::string_view word;
  DomainState state;
};
// What virsh says besides these ("idle", "in shutdown", "pmsuspended", "no state") is a QEMU that runs.
constexpr std::array state_words{StateWord{"shut off", DomainState::off}, StateWord{"paused", DomainState::paused},
                                 StateWord{"crashed", DomainState::paused}};

DomainState state_from(std::string_view word) {
  for (const auto& known : state_words)
    if (known.word == word) return known.state;
  return DomainState::running;
}

bool says_there_is_none(const sys::Result& result) {
  return result.exit_status != 0 && result.err.find("failed to get domain") != std::string::npos;
}

}  // namespace

std::optional<DomainState> ActiveDomains::state(const DomainRecord& record) {
  const auto& answer = answer_of(record.uri);
  const auto uuid = record.uuid.text();
  if (!answer.told) return std::nullopt;
  if (answer.paused.find(uuid) != std::string::npos) return DomainState::paused;
  return answer.active.find(uuid) != std::string::npos ? DomainState::running : DomainState::off;
}

const ActiveDomains::Answer& ActiveDomains::answer_of(const std::string& uri) {
  for (const auto& answer : answers_)
    if (answer.uri == uri) return answer;
  return answers_.emplace_back(ask(uri));
}

ActiveDomains::Answer ActiveDomains::ask(const std::string& uri) {
  try {
    const auto lists = fmt::format("list --uuid; echo {}; list --uuid --state-paused", between_lists);
    const auto text = order_virsh(host_, uri, {lists}, look_limit);
    const auto middle = text.find(between_lists);
    if (middle != text.npos) return {uri, true, text.substr(0, middle), text.substr(middle)};
    complaints_.push_back(fmt::format("libvirt at {} does not tell what it runs", uri));
  } catch (const Error& error) {
    complaints_.push_back(error.message());
  }
  return {.uri = uri};
}

std::string Domain::order(std::vector<std::string> words) const {
  return order_virsh(host_, record_.uri, std::move(words), order_limit);
}

DomainState Domain::state(std::chrono::milliseconds limit) const {
  const std::vector<std::string> words{"domstate", record_.uuid.text()};
  const auto answer = ask_virsh(host_, record_.uri, words, limit);
  if (says_there_is_none(answer)) return DomainState::missing;
  if (answer.exit_status == 0) return state_from(base::trim(answer.out));
  throw Error(ErrorKind::external,
              fmt::format("libvirt at {} does not tell the domain's state: {}", record_.uri, complaint(answer)));
}

bool Domain::is_active() const {
  const auto now = state();
  return now == DomainState::running || now == DomainState::paused;
}

bool Domain::waits_until_off(Clock::time_point deadline) const {
  while (is_active()) {
    if (Clock::now() >= deadline) return false;
    sys::check_interrupted();
    std::this_thread::sleep_for(look_interval);
  }
  return true;
}

StopWay Domain::stop(std::chrono::seconds patience, bool at_once) const {
  if (!at_once && state() == DomainState::running) {
    order({"shutdown", record_.uuid.text()});
    if (waits_until_off(Clock::now() + patience)) return StopWay::powered_down;
  }
  order({"destroy", record_.uuid.text()});
  if (waits_until_off(Clock::now() + quit_limit)) return StopWay::quit;
  throw Error(ErrorKind::busy, "libvirt was told to end the domain, and it still runs")
      .hint(command_line("domstate --reason"));
}

bool Domain::pause() const {
  if (state() == DomainState::paused) return false;
  order({"suspend", record_.uuid.text()});
  return true;
}

bool Domain::resume() const {
  if (state() == DomainState::running) return false;
  order({"resume", record_.uuid.text()});
  // QEMU says yes, then tries again what had failed, and stops where that fails again.
  std::this_thread::sleep_for(second_stop_limit);
  if (state() != DomainState::paused) return true;
  throw Error(ErrorKind::external, "the machine stopped again at once")
      .hint("its writes still find no room, or its disk fails: " + command_line("domblkerror"));
}

RestartWay Domain::restart(std::chrono::seconds patience, bool at_once) const {
  if (!at_once && state() == DomainState::running) {
    order({"shutdown", record_.uuid.text()});
    if (waits_until_off(Clock::now() + patience)) {
      start();
      return RestartWay::powered_down;
    }
  }
  order({"reset", record_.uuid.text()});
  if (state() == DomainState::paused) order({"resume", record_.uuid.text()});
  return RestartWay::reset;
}

std::string Domain::screenshot(const machine::Path& file) const {
  sys::make_directories(file.parent_path());
  order({"screenshot", record_.uuid.text(), file.string()});
  auto picture = sys::read_file(file, largest_picture);
  sys::remove_all(file);
  if (picture.starts_with("\x89PNG")) return picture;
  throw Error(ErrorKind::unsupported, "libvirt gives the screen in another format than PNG")
      .hint("QEMU 7.1 with libvirt 8.4 gives PNG; " + command_line("screenshot") + " FILE writes what there is");
}

void Domain::become_console() const {
  host_.runner.exec(virsh_command(host_, record_.uri, {"console", record_.uuid.text()}));
}

void Domain::define(const std::string& xml, const machine::Path& file) const {
  sys::make_directories(file.parent_path());
  sys::AtomicFile domain(file);
  domain.write(xml);
  domain.commit();
  try {
    order({"define", file.string()});
  } catch (const Error& error) {
    if (error.message().find("already exists with uuid") == std::string::npos) throw;
    throw Error(ErrorKind::exists, error.message())
        .hint(fmt::format("rename the machine: hrvm rename {} NEW; or undefine that domain: {}", record_.name,
                          command_line("undefine --keep-nvram")));
  }
}

void Domain::start() const { order({"start", record_.uuid.text()}); }

// "Managed save:   no" of dominfo.
std::string Domain::info(std::string_view name) const {
  const auto text = order({"dominfo", record_.uuid.text()});
  for (const auto line : base::lines(text))
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
      return std::string(base::trim(line.substr(name.size() + 1)));
  return {};
}

void Domain::check_nothing_saved() const {
  if (info("Managed save") != "yes") return;
  throw Error(ErrorKind::busy,
              fmt::format("libvirt keeps the memory of the domain {}, as it was saved while it ran", record_.name))
      .hint(fmt::format("go on with it, and shut it down: {}; or give it up: {}", command_line("start"),
                        command_line("managedsave-remove")));
}

bool Domain::starts_by_itself() const { return info("Autostart") == "enable"; }

void Domain::set_starts_by_itself(bool yes) const {
  const auto uuid = record_.uuid.text();
  order(yes ? std::vector<std::string>{"autostart", uuid} : std::vector<std::string>{"autostart", "--disable", uuid});
}

std::optional<std::string> Domain::definition() const {
  const auto now = state();
  if (now == DomainState::missing) return std::nullopt;
  if (now != DomainState::off)
    throw Error(ErrorKind::busy, fmt::format("libvirt at {} runs the domain {}", record_.uri, record_.name))
        .hint("stop it first: " + command_line("shutdown"));
  check_nothing_saved();
  auto xml = order({"dumpxml", "--inactive", "--security-info", record_.uuid.text()});
  if (is_domain_of(xml, record_.uuid)) return xml;
  throw Error(ErrorKind::busy, fmt::format("the domain {} does not say that it is this machine's", record_.name))
      .hint("undefine it where it is no other's: " + command_line("undefine --keep-nvram"));
}

// What a TPM remembers would go with the definition: libvirt keeps it, and older ones do not know the word.
void Domain::undefine() const {
  const auto uuid = record_.uuid.text();
  std::vector<std::string> words{"undefine", "--keep-nvram", uuid};
  if (order({"dumpxml", "--inactive", uuid}).find("<tpm") != std::string::npos)
    words.insert(words.begin() + 1, "--keep-tpm");
  order(std::move(words));
}

bool Domain::undefine_for_good() const {
  if (state() == DomainState::missing) return false;
  const auto uuid = record_.uuid.text();
  if (!is_domain_of(order({"dumpxml", "--inactive", uuid}), record_.uuid)) return false;
  order({"undefine", "--nvram", "--managed-save", "--snapshots-metadata", "--checkpoints-metadata", uuid});
  return true;
}

std::string Domain::command_line(std::string_view words) const {
  return fmt::format("virsh -c {} {} {}", base::shell_quote(record_.uri), words, base::shell_quote(record_.name));
}

void undefine_elsewhere(const sys::Host& host, const machine::Machine& machine, const DomainRecord& next) {
  const auto record = domain_record(machine.folder);
  if (!record || *record == next) return;
  const Domain domain(host, *record);
  if (domain.definition()) domain.undefine();
}

}  // namespace hrvm::launch
