// USB devices of this host that a guest is given, by the vendor and product in their descriptors (USB 2.0, 9.6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

struct UsbId {
  std::uint16_t vendor = 0, product = 0;
  friend bool operator==(const UsbId&, const UsbId&) = default;
};
std::optional<UsbId> usb_id_from(std::string_view word);  // "046d:c52b"
std::string text(const UsbId& id);

// Error{not_found} for what is not plugged in, with what is; Error{refused} for a device that stores: a guest would
// write to it.
void check_usb_device(const sys::Host& host, const UsbId& id);

}  // namespace hrvm::launch
