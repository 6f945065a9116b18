#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/launch/firmware.hpp"

namespace hrvm::doctor {

static Results machines_that_need_it(const Circumstances& at) {
  return for_each_machine(at, "uefi", [](const machine::Machine& machine) -> Results {
    if (machine.definition.active.hardware.firmware != machine::Firmware::uefi) return {};
    return {{"uefi", Status::error, machine.name + " boots by UEFI, and no firmware for it is installed",
             "apt install ovmf"}};
  });
}

Results check_uefi(const Circumstances& at) {
  if (const auto firmware = launch::choose_uefi_firmware(launch::uefi_firmwares(at.host))) {
    return {{"uefi", Status::ok, fmt::format("UEFI firmware is {}", firmware->code_path), ""}};
  }
  auto results = machines_that_need_it(at);
  if (results.empty()) {
    results.push_back(
        {"uefi", Status::warning, "no UEFI firmware is installed: disks that need it cannot boot", "apt install ovmf"});
  }
  return results;
}

}  // namespace hrvm::doctor
