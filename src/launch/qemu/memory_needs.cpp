#include "launch/qemu/memory_needs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using machine::Mark;
using Marks = std::vector<Mark>;

constexpr std::chrono::seconds answer_limit{30}, version_limit{10};
constexpr std::size_t largest_command = 1 << 20, longest_shown = 60;
constexpr std::string_view machine_type = "machine type", accelerator = "accelerator", cpu_model = "CPU model",
                           device = "device ", host_cpu = "host CPU", qemu_version = "QEMU";

// What QEMU calls a machine type in full, and by which word hrvm asks for it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> families{
    {{"pc-q35-", "q35"}, {"pc-i440fx-", "pc"}}};

std::string family_of(std::string_view type) {
  for (const auto& [start, word] : families)
    if (type.starts_with(start)) return std::string(word);
  return std::string(type);
}

std::string_view first_part(std::string_view value) { return value.substr(0, value.find(',')); }

void add_machine(Marks& marks, std::string_view value) {
  std::vector<std::string> others;
  for (const auto part : base::split(value, ','))
    if (part.starts_with("accel="))
      marks.push_back({std::string(accelerator), std::string(part.substr(part.find('=') + 1))});
    else
      others.emplace_back(part);
  if (others.empty()) return;
  marks.push_back({std::string(machine_type), family_of(others.front())});
  others.erase(others.begin());
  marks.push_back({"machine options", base::join(others, ",")});
}

// There may be several of a kind.
std::string free_name(const Marks& marks, std::string name) {
  const auto count = std::ranges::count_if(
      marks, [&](const Mark& mark) { return mark.what == name || mark.what.starts_with(name + " "); });
  return count == 0 ? std::move(name) : fmt::format("{} {}", name, count + 1);
}

// By its id, else by its kind.
std::string name_of_device(std::string_view value) {
  auto name = std::string(device) + std::string(first_part(value));
  for (const auto part : base::split(value, ','))
    if (part.starts_with("id=")) name = std::string(device) + std::string(part.substr(part.find('=') + 1));
  return name;
}

void add_device(Marks& marks, std::string_view value) {
  marks.push_back({free_name(marks, name_of_device(value)), std::string(value)});
}

// Its own disks are told by the snapshot, and its variables are in its memory.
bool is_of_own_disks(std::string_view node) {
  return node.starts_with("disk") || node.starts_with("layer") || node.starts_with("base") || node == "pflash1";
}

void add_block_node(Marks& marks, std::string_view value) {
  try {
    const auto node = base::parse_json(value, "-blockdev");
    const auto name = node["node-name"].text().value_or(""), file = node.at_path("file.filename").text().value_or("");
    if (!is_of_own_disks(name)) marks.push_back({"file of " + name, file});
  } catch (const Error&) {
    // It is none of ours.
  }
}

void add_object(Marks& marks, std::string_view value) {
  if (value.starts_with("memory-backend")) marks.push_back({"memory's kind", std::string(value)});
}

// What is behind a network card is QEMU's to keep, where that is itself the network.
void add_network(Marks& marks, std::string_view value) { marks.push_back({"network", std::string(first_part(value))}); }

template <const auto& What>
void add_as(Marks& marks, std::string_view value) {
  marks.push_back({free_name(marks, std::string(What)), std::string(value)});
}
constexpr std::string_view cpus = "CPUs", memory = "memory", clock_base = "hardware clock", serial = "serial line",
                           property = "property";

struct Option {
  std::string_view name;
  void (*add)(Marks& marks, std::string_view value);
};
constexpr Option options[] = {
    {"-machine", add_machine},     {"-cpu", add_as<cpu_model>}, {"-smp", add_as<cpus>},        {"-m", add_as<memory>},
    {"-rtc", add_as<clock_base>},  {"-serial", add_as<serial>}, {"-global", add_as<property>}, {"-device", add_device},
    {"-blockdev", add_block_node}, {"-object", add_object},     {"-netdev", add_network}};

std::string value_of(const Marks& marks, std::string_view what) {
  const auto found = std::ranges::find(marks, what, &Mark::what);
  return found == marks.end() ? "" : found->value;
}

// Of the first processor; the others are like it.
std::string host_cpu_text(const sys::Host& host) {
  constexpr std::string_view told[] = {"vendor_id", "cpu family", "model", "model name", "stepping", "flags"};
  std::vector<std::string> parts;
  const auto text = sys::try_read_file(host.path("/proc/cpuinfo"), largest_command).value_or("");
  for (const auto line : base::lines(text)) {
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto name = base::trim(line.substr(0, colon));
    if (std::ranges::find(told, name) != std::end(told)) parts.emplace_back(base::trim(line.substr(colon + 1)));
  }
  return base::join(parts, " ");
}

// "host", and "max" by KVM, are what the host's processor is.
void add_host_cpu(Marks& marks, const sys::Host& host) {
  const auto model = value_of(marks, cpu_model);
  const bool is_hosts = model.starts_with("host") || model.starts_with("max");
  if (is_hosts && value_of(marks, accelerator) == "kvm") marks.push_back({std::string(host_cpu), host_cpu_text(host)});
}

std::string version_of_run(Qmp& qmp) {
  const auto version = qmp.execute("query-version", Json::object(), answer_limit)["qemu"];
  const auto number = [&](const char* part) { return version[part].unsigned_integer().value_or(0); };
  return fmt::format("{}.{}.{}", number("major"), number("minor"), number("micro"));
}

// "QEMU emulator version 7.2.22 (Debian …)" → "7.2.22".
std::string version_of_program(const sys::Host& host, const std::string& program) {
  constexpr std::string_view before = " version ";
  const auto answer = host.runner.run({{program, "--version"}}, version_limit).out;
  const auto start = answer.find(before);
  if (start == answer.npos) return "unknown";
  const auto rest = std::string_view(answer).substr(start + before.size());
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

std::vector<std::string> command_of(const sys::Host& host, pid_t process) {
  const auto text = sys::read_file(host.path(fmt::format("/proc/{}/cmdline", process)), largest_command);
  std::vector<std::string> command;
  for (const auto word : base::split(text, '\0')) command.emplace_back(word);
  return command;
}

std::string shown(const std::string& value) {
  const auto text = base::printable(value);
  return text.size() <= longest_shown ? text : text.substr(0, longest_shown) + "…";
}

std::string difference(const Mark& then, const Marks& now) {
  const auto found = std::ranges::find(now, then.what, &Mark::what);
  const auto what = base::printable(then.what);
  if (found == now.end()) return fmt::format("{}: {} then, none now", what, shown(then.value));
  if (found->value == then.value) return {};
  const auto then_shown = shown(then.value), now_shown = shown(found->value);
  return then_shown == now_shown ? fmt::format("{}: another", what)
                                 : fmt::format("{}: {} then, {} now", what, then_shown, now_shown);
}

}  // namespace

Marks needs_of(const std::vector<std::string>& command) {
  Marks marks;
  for (std::size_t i = 0; i + 1 < command.size(); ++i) {
    const auto option = std::ranges::find(options, command[i], &Option::name);
    if (option != std::end(options)) option->add(marks, command[++i]);
  }
  return marks;
}

Marks needs_of_run(const sys::Host& host, Qmp& qmp) {
  const auto process = qmp.process();
  if (!process) throw Error(ErrorKind::external, "the kernel does not tell which process QEMU is");
  auto marks = needs_of(command_of(host, *process));
  marks.insert(marks.begin(), {std::string(qemu_version), version_of_run(qmp)});
  add_host_cpu(marks, host);
  return marks;
}

Marks needs_of_plan(const sys::Host& host, const LaunchPlan& plan) {
  auto marks = needs_of(qemu_command(plan));
  marks.insert(marks.begin(), {std::string(qemu_version), version_of_program(host, plan.emulator.program)});
  add_host_cpu(marks, host);
  return marks;
}

std::vector<std::string> differences(const Marks& then, const Marks& now) {
  std::vector<std::string> all;
  for (const auto& mark : then)
    if (auto text = difference(mark, now); !text.empty()) all.push_back(std::move(text));
  for (const auto& mark : now)
    if (std::ranges::find(then, mark.what, &Mark::what) == then.end())
      all.push_back(fmt::format("{}: none then, {} now", base::printable(mark.what), shown(mark.value)));
  if (all.empty() && then != now) all.emplace_back("the order of its devices");
  return all;
}

std::string versioned_machine_type(Qmp& qmp, const Marks& needs) {
  const auto type = value_of(needs, machine_type);
  const auto machines = qmp.execute("query-machines", Json::object(), answer_limit);
  for (const auto& each : machines.items())
    if (each["alias"].text() == type || each["name"].text() == type) return each["name"].text().value_or("");
  throw Error(ErrorKind::external,
              fmt::format("QEMU does not tell which version of {} it runs", base::printable(type)));
}

}  // namespace hrvm::launch
