#include "probe/systems/windows_registry.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view release_key = "Microsoft\\Windows NT\\CurrentVersion";
constexpr std::uint64_t first_build_of_11 = 22000;

std::string text(Hive& hive, Hive::Key key, std::string_view name) {
  const auto value = hive.value(key, name);
  return value ? value->text().value_or("") : "";
}

std::optional<std::uint32_t> number(Hive& hive, Hive::Key key, std::string_view name) {
  const auto value = hive.value(key, name);
  return value ? value->number() : std::nullopt;
}

std::string first_of(std::initializer_list<std::string> candidates) {
  for (const auto& candidate : candidates)
    if (!candidate.empty()) return candidate;
  return "";
}

// Windows 10 is what Windows 11 still calls itself here.
std::string product_name(Hive& hive, Hive::Key key, std::uint64_t build) {
  constexpr std::string_view ten = "Windows 10";
  const auto edition = text(hive, key, "EditionID");
  auto product = first_of({text(hive, key, "ProductName"), edition.empty() ? "Windows" : "Windows " + edition});
  if (build >= first_build_of_11 && product.starts_with(ten)) product.replace(0, ten.size(), "Windows 11");
  return product;
}

// "6.1" where the numbers of Windows 10 are not there.
std::string kernel_version(Hive& hive, Hive::Key key) {
  const auto major = number(hive, key, "CurrentMajorVersionNumber");
  if (!major) return text(hive, key, "CurrentVersion");
  return fmt::format("{}.{}", *major, number(hive, key, "CurrentMinorVersionNumber").value_or(0));
}

}  // namespace

std::string WindowsRelease::pretty() const {
  return fmt::format("{}{}{} (build {})", product, update.empty() ? "" : " ", update, build);
}

std::optional<WindowsRelease> read_windows_release(Hive& software) {
  const auto key = software.find(release_key);
  if (!key) return std::nullopt;
  WindowsRelease release;
  const auto build = first_of({text(software, *key, "CurrentBuildNumber"), text(software, *key, "CurrentBuild")});
  if (build.empty()) return std::nullopt;
  release.product = product_name(software, *key, base::parse_unsigned(build).value_or(0));
  release.update = first_of(
      {text(software, *key, "DisplayVersion"), text(software, *key, "ReleaseId"), text(software, *key, "CSDVersion")});
  const auto revision = number(software, *key, "UBR");
  release.build = revision ? fmt::format("{}.{}", build, *revision) : build;
  release.version = fmt::format("{}.{}", kernel_version(software, *key), release.build);
  return release;
}

std::optional<std::string> current_control_set(Hive& system) {
  const auto current = system.value("Select", "Current");
  const auto set = current ? current->number() : std::nullopt;
  if (!set || *set > 999) return std::nullopt;
  return fmt::format("ControlSet{:03}", *set);
}

std::optional<std::string> windows_hostname(Hive& system, const std::string& control_set) {
  struct Place {
    std::string_view key, name;
  };
  constexpr Place places[] = {
      {"Services\\Tcpip\\Parameters", "NV Hostname"},  // as it was given; the others in capitals
      {"Services\\Tcpip\\Parameters", "Hostname"},
      {"Control\\ComputerName\\ComputerName", "ComputerName"}};
  for (const auto& place : places) {
    const auto value = system.value(fmt::format("{}\\{}", control_set, place.key), place.name);
    if (const auto name = value ? value->text() : std::nullopt; name && !name->empty()) return name;
  }
  return std::nullopt;
}

bool uses_fast_startup(Hive& system, const std::string& control_set) {
  const auto value = system.value(control_set + "\\Control\\Session Manager\\Power", "HiberbootEnabled");
  return value && value->number() == 1u;
}

}  // namespace hrvm::probe
