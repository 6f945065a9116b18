// Windows 7 and later, and Windows Server: known by the registry in its root.
#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "probe/systems/systems.hpp"
#include "probe/systems/windows_hibernation.hpp"
#include "probe/systems/windows_registry.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr const char* hives = "/Windows/System32/config/";

class Detection {
 public:
  explicit Detection(const Root& root) : root_(root) {}

  std::optional<System> run() {
    if (!is_file("/Windows/System32/ntoskrnl.exe")) return std::nullopt;
    System system;
    system.id = "windows";
    system.name = system.pretty = "Windows";
    system.family = SystemFamily::windows;
    with_hive("SOFTWARE", [&](Hive& software) { read_release(software, system); });
    with_hive("SYSTEM", [&](Hive& registry) { read_settings(registry, system); });
    tell_hibernation(system);
    return system;
  }

 private:
  void add(std::string id, Severity severity, std::string message, std::string remedy = {}) {
    root_.findings.push_back({std::move(id), severity, root_.name, std::move(message), std::move(remedy)});
  }

  bool is_file(const std::string& path) try {
    const auto info = root_.files.info(path);
    return info && info->kind == fs::FileKind::regular;
  } catch (const base::Error&) {
    return false;
  }

  // What is broken in a hive leaves empty what it would have filled.
  void with_hive(const std::string& name, const auto& read) try {
    Hive hive(root_.files, hives + name);
    if (hive.is_dirty()) tell_dirty(name);
    read(hive);
  } catch (const base::Error& error) {
    add("registry-damaged", Severity::warning,
        fmt::format("the registry of Windows cannot be read: {}", error.message()));
  }

  void tell_dirty(const std::string& name) {
    const bool has_logs = is_file(hives + name + ".LOG1") || is_file(hives + name + ".LOG2");
    add("registry-unclean", Severity::note,
        fmt::format("Windows had not finished writing its registry ({}): what is told of it may be older than what {}",
                    name, has_logs ? "its log files hold" : "it has seen"));
  }

  void read_release(Hive& software, System& system) {
    const auto release = read_windows_release(software);
    if (!release) return;
    system.name = release->product;
    system.version = release->version;
    system.pretty = release->pretty();
  }

  void read_settings(Hive& registry, System& system) {
    const auto set = current_control_set(registry);
    if (!set) return;
    system.hostname = windows_hostname(registry, *set);
    system.drivers = windows_drivers(registry, *set, root_.files);
    system.nics = windows_nics(registry, *set, root_.files, system.version);
    const auto virtio = std::ranges::find(system.drivers, Bus::virtio, &DriverEvidence::bus);
    if (virtio != system.drivers.end()) system.virtio = virtio->verdict;
    fast_startup_ = uses_fast_startup(registry, *set);
  }

  void tell_hibernation(System& system) {
    constexpr const char* remedy =
        "start Windows from the disk once and end it with: shutdown /s /t 0 (to end this for good: powercfg /h off)";
    const auto hibernation = hibernation_of(root_.files);
    system.hibernated = hibernation != Hibernation::none;
    if (hibernation == Hibernation::hibernated)
      add("hibernated", Severity::warning,
          "Windows is hibernated: in a machine it would wake up on other hardware, and what it had not written yet is "
          "in hiberfil.sys alone",
          remedy);
    else if (hibernation == Hibernation::fast_startup)
      add("fast-startup", Severity::warning,
          "Windows was shut down by Fast Startup: its kernel is in hiberfil.sys, and in a machine it would wake up on "
          "other hardware",
          remedy);
    else if (fast_startup_)
      add("fast-startup", Severity::note,
          "Windows uses Fast Startup: the next time it is shut down its kernel will stay in hiberfil.sys",
          "in Windows: powercfg /h off");
  }

  const Root& root_;
  bool fast_startup_ = false;
};

}  // namespace

std::optional<System> detect_windows(const Root& root) { return Detection(root).run(); }

}  // namespace hrvm::probe
