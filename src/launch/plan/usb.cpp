#include "hrvm/launch/usb.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view storage_class = "08", hub_class = "09";  // USB-IF, Defined Class Codes

struct Plugged {
  UsbId id;
  std::string name;
  bool is_hub = false, is_storage = false;
};

std::optional<std::uint16_t> four_digits(std::string_view word) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (word.size() != 4 || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::string attribute(const sys::Path& folder, const char* name) {
  return std::string(base::trim(sys::try_read_file(folder / name).value_or("")));
}

// Its interfaces are entries as "1-2:1.0" within "1-2".
bool has_storage(const sys::Path& device) {
  return std::ranges::any_of(sys::list_directory(device), [&](const std::string& name) {
    return attribute(device / name, "bInterfaceClass") == storage_class;
  });
}

std::optional<Plugged> read_device(const sys::Path& folder) {
  const auto vendor = four_digits(attribute(folder, "idVendor")), product = four_digits(attribute(folder, "idProduct"));
  if (!vendor || !product) return std::nullopt;
  const auto name = attribute(folder, "manufacturer") + " " + attribute(folder, "product");
  return Plugged{.id = {*vendor, *product},
                 .name = base::printable(base::trim(name)),
                 .is_hub = attribute(folder, "bDeviceClass") == hub_class,
                 .is_storage = has_storage(folder)};
}

std::vector<Plugged> plugged_in(const sys::Host& host) {
  const auto folder = host.path("/sys/bus/usb/devices");
  std::vector<Plugged> devices;
  for (const auto& name : sys::list_directory(folder)) {
    const auto device = read_device(folder / name);
    if (device && !device->is_hub) devices.push_back(*device);
  }
  return devices;
}

std::string listed(const std::vector<Plugged>& devices) {
  if (devices.empty()) return "nothing is plugged in";
  std::vector<std::string> all;
  for (const auto& device : devices) all.push_back(fmt::format("{} ({})", text(device.id), device.name));
  return "plugged in: " + base::join(all, ", ");
}

}  // namespace

std::optional<UsbId> usb_id_from(std::string_view word) {
  const auto colon = word.find(':');
  if (colon == word.npos) return std::nullopt;
  const auto vendor = four_digits(word.substr(0, colon)), product = four_digits(word.substr(colon + 1));
  return vendor && product ? std::optional(UsbId{*vendor, *product}) : std::nullopt;
}

std::string text(const UsbId& id) { return fmt::format("{:04x}:{:04x}", id.vendor, id.product); }

void check_usb_device(const sys::Host& host, const UsbId& id) {
  const auto devices = plugged_in(host);
  const auto is_it = [&](const Plugged& device) { return device.id == id; };
  if (std::ranges::none_of(devices, is_it))
    throw Error(ErrorKind::not_found, fmt::format("there is no USB device {} on this host", text(id)))
        .hint(listed(devices));
  if (std::ranges::any_of(devices, [&](const Plugged& device) { return is_it(device) && device.is_storage; }))
    throw Error(ErrorKind::refused, fmt::format("the USB device {} stores, and a guest would write to it", text(id)))
        .hint("give the machine its disk with --disk, which the guest can only read");
}

}  // namespace hrvm::launch
