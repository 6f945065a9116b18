// Where in a machine that has this disk the device is by a name that the start uses. One answer for every place in
// which names stand: the kernel's command line, the initramfs, fstab, crypttab, resume.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/hazards/hazards.hpp"

namespace hrvm::probe {

enum class Where {
  here,         // on this disk, by a name that stays
  twice,        // two of this disk have the name
  on_a_bus,     // it has this name on some buses alone
  never,        // no machine gives this name
  elsewhere,    // a name that stays, of what is not on this disk
  not_certain,  // it may lie in what cannot be looked into, or is no device's name
};

struct Whereabouts {
  Where where = Where::not_certain;
  std::span<const Bus> buses;  // of on_a_bus
};

class DeviceNames {
 public:
  // Reads crypttab and multipath's bindings of the root, where there is one.
  explicit DeviceNames(const HazardContext& context);

  Whereabouts find(std::string_view name) const;
  // Whether the machine is given one of these buses for the sake of names.
  bool has_bus(std::span<const Bus> buses) const;

 private:
  Whereabouts find(const DeviceName& device) const;
  bool is_group_here(std::string_view group) const;

  const std::vector<Bus>& named_buses_;
  Contents contents_;                             // with what lies on the machine's other disks
  std::set<std::string, std::less<>> opened_;     // names under /dev/mapper that crypttab opens
  std::set<std::string, std::less<>> multipath_;  // and that multipath gives
  bool may_hide_;                                 // what is not seen may lie in a container that stays closed
};

// What is known of the names on a machine's disks: those of the one that was read, and of the others beside it.
Contents with_companions(const Contents& contents);

// Up to eight texts for a message.
struct Told {
  std::vector<std::string> texts;
  void add(std::string text) {
    if (texts.size() < 8) texts.push_back(std::move(text));
  }
  bool empty() const { return texts.empty(); }
  std::string text() const;
};

}  // namespace hrvm::probe
