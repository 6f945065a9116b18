// Which buses a Windows can start from, and which network cards it knows. A driver does so when its service starts at
// boot (Start is 0) and StartOverride does not say otherwise: Windows 8 and later put that there for the buses that a
// machine did not have when it was set up.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "hrvm/base/text.hpp"
#include "probe/systems/windows_registry.hpp"

namespace hrvm::probe {
namespace {

constexpr std::uint32_t start_at_boot = 0, start_never = 4;

struct Service {
  bool is_there = false;
  bool starts_at_boot = false;
  std::string because;
};

struct BusServices {
  Bus bus;
  std::array<std::string_view, 2> any_of;  // services of which one will do
  std::string_view as_well;                // one that it takes besides
};
constexpr BusServices buses[] = {
    {Bus::virtio, {"viostor", ""}, ""},          {Bus::scsi, {"vioscsi", ""}, ""},
    {Bus::nvme, {"stornvme", ""}, ""},           {Bus::sata, {"storahci", "msahci"}, ""},
    {Bus::ide, {"intelide", "pciide"}, "atapi"},
};

class Services {
 public:
  Services(Hive& system, const std::string& control_set, fs::FileSystem& root)
      : system_(system), root_(root), path_(control_set + "\\Services\\") {}

  Service look_at(std::string_view name) {
    const auto key = system_.find(path_ + std::string(name));
    if (!key) return {false, false, fmt::format("Windows has no driver {}", name)};
    const auto start = number(*key, "Start");
    if (start != start_at_boot)
      return {
          true, false,
          fmt::format("{} does not start at boot (its Start is {})", name, start ? std::to_string(*start) : "missing")};
    if (const auto other = system_.find(path_ + std::string(name) + "\\StartOverride");
        other && number(*other, "0").value_or(start_at_boot) != start_at_boot)
      return {true, false, fmt::format("StartOverride keeps {} from starting at boot", name)};
    if (const auto file = file_of(*key, name); !fs::exists(root_, file))
      return {true, false, fmt::format("{}, the file of {}, is missing", file, name)};
    return {true, true, fmt::format("{} starts at boot", name)};
  }

  // A driver that Plug and Play starts.
  bool can_start(std::string_view name) {
    const auto key = system_.find(path_ + std::string(name));
    return key && number(*key, "Start").value_or(start_never) != start_never && fs::exists(root_, file_of(*key, name));
  }

 private:
  std::optional<std::uint32_t> number(Hive::Key key, std::string_view name) {
    const auto value = system_.value(key, name);
    return value ? value->number() : std::nullopt;
  }

  // ImagePath is "\SystemRoot\System32\drivers\x.sys" or "System32\drivers\x.sys"; without it the name says it.
  std::string file_of(Hive::Key key, std::string_view name) {
    const auto value = system_.value(key, "ImagePath");
    auto path = value ? value->text().value_or("") : "";
    if (path.empty()) path = fmt::format("System32\\drivers\\{}.sys", name);
    std::ranges::replace(path, '\\', '/');
    if (constexpr std::string_view root = "/systemroot/"; base::starts_with_ignoring_case(path, root))
      path.erase(0, root.size());
    return "/Windows/" + path;
  }

  Hive& system_;
  fs::FileSystem& root_;
  std::string path_;
};

Service best_of(Services& services, const BusServices& bus) {
  Service best;
  for (const std::string_view name : bus.any_of) {
    if (name.empty() || best.starts_at_boot) continue;
    auto service = services.look_at(name);
    if (service.starts_at_boot || !best.is_there) best = std::move(service);
  }
  return best;
}

DriverEvidence evidence(Services& services, const BusServices& bus) try {
  auto service = best_of(services, bus);
  if (service.starts_at_boot && !bus.as_well.empty())
    if (auto other = services.look_at(bus.as_well); !other.starts_at_boot) service = std::move(other);
  return {bus.bus, service.starts_at_boot ? Verdict::yes : Verdict::no, std::move(service.because)};
} catch (const base::Error& error) {
  return {bus.bus, Verdict::unknown, error.message()};
}

struct Card {
  Nic model;
  std::array<std::string_view, 3> any_of;  // services, of which one will do
  std::string_view first, last;            // versions of Windows that bring a driver; empty: none, and no end
};
constexpr Card cards[] = {
    {Nic::virtio, {"netkvm"}, "", ""},
    {Nic::e1000e, {"e1i68x64", "e1i65x64", "e1i63x64"}, "6.2", ""},
    {Nic::e1000, {"E1G60"}, "6.0", "6.1"},
    {Nic::rtl8139, {"RTL8023x64", "RTL8139"}, "", ""},
};

// "10.0" comes after "6.3": its length says so.
bool is_before(std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

bool brings(const Card& card, std::string_view release) {
  return !card.first.empty() && !release.empty() && !is_before(release, card.first) &&
         (card.last.empty() || !is_before(card.last, release));
}

NicEvidence evidence(Services& services, const Card& card, std::string_view release) try {
  for (const std::string_view name : card.any_of)
    if (!name.empty() && services.can_start(name))
      return {card.model, Verdict::yes, fmt::format("Windows has the driver {}", name)};
  if (brings(card, release))
    return {card.model, Verdict::yes, fmt::format("Windows {} brings a driver for it", release)};
  if (card.first.empty()) return {card.model, Verdict::no, fmt::format("Windows has no driver {}", card.any_of[0])};
  return {card.model, Verdict::unknown, fmt::format("Windows may have no driver for {}", word(card.model))};
} catch (const base::Error& error) {
  return {card.model, Verdict::unknown, error.message()};
}

// "10.0" of "10.0.22631.3007"; empty where the registry has no more than the build.
std::string_view release_of(std::string_view version) {
  if (version.empty() || version.front() == '.') return {};
  return version.substr(0, version.find('.', std::min(version.find('.'), version.size() - 1) + 1));
}

}  // namespace

std::vector<NicEvidence> windows_nics(Hive& system, const std::string& control_set, fs::FileSystem& root,
                                      std::string_view version) {
  Services services(system, control_set, root);
  const auto release = release_of(version);
  std::vector<NicEvidence> nics;
  for (const Card& card : cards) {
    nics.push_back(evidence(services, card, release));
    if (nics.back().verdict == Verdict::yes) break;
  }
  return nics;
}

std::vector<DriverEvidence> windows_drivers(Hive& system, const std::string& control_set, fs::FileSystem& root) {
  Services services(system, control_set, root);
  std::vector<DriverEvidence> drivers;
  for (const BusServices& bus : buses) drivers.push_back(evidence(services, bus));
  return drivers;
}

}  // namespace hrvm::probe
