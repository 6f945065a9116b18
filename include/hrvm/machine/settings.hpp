// The settings of a machine's hardware, as one table: the definition's members, `hrvm set`, the options of import and
// boot, completion, show and --json are all read from it.
//
// To add one: a member of Hardware (and of HardwareRequest, where import or boot may ask for it), a row in
// settings.cpp, its use in launch (plan_launch, qemu_command, domain_xml), and its paragraph in hrvm-set(1) and
// hrvm-machine(5), which a test asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/machine/definition.hpp"

namespace hrvm::machine {

// What is asked for at import, or for one boot. Null: as advised, or as the machine has it.
struct HardwareRequest {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<unsigned> cpus;
  std::optional<std::string> cpu;
  std::optional<Firmware> firmware;
  std::optional<SecureBoot> secure_boot;
  std::optional<MachineType> machine;
  std::optional<Bus> bus;
  std::optional<Network> network;
  std::optional<bool> tpm;
  std::optional<std::vector<PortForward>> forwards;
};
Hardware with_request(Hardware hardware, const HardwareRequest& request);

// Where a setting's value is kept, and where it is asked for.
template <typename T>
struct HardwareField {
  T Hardware::*kept;
  std::optional<T> HardwareRequest::*asked = nullptr;
};
using AnyHardwareField =
    std::variant<HardwareField<std::uint64_t>, HardwareField<unsigned>, HardwareField<bool>, HardwareField<std::string>,
                 HardwareField<Firmware>, HardwareField<SecureBoot>, HardwareField<MachineType>, HardwareField<Bus>,
                 HardwareField<Clock>, HardwareField<std::optional<Nic>>, HardwareField<Network>,
                 HardwareField<std::vector<std::string>>, HardwareField<std::optional<Disc>>,
                 HardwareField<std::vector<PortForward>>, HardwareField<std::vector<Share>>>;

struct Limits {
  std::uint64_t least = 0, most = 0;
  bool hold(std::uint64_t value) const { return value >= least && value <= most; }
};

// The option of its name, of import or boot. A switch has no value.
struct HardwareOption {
  bool at_import = false, at_boot = false;
  std::string_view value = {}, help = {};  // "SIZE", "memory: 512M, 4G"
  bool has_auto = false;                   // "auto" is as good as no option
};

struct HardwareSetting {
  std::string_view name;    // "secure-boot": hrvm set web secure-boot=on, --secure-boot on
  std::string_view member;  // "secure_boot": of the definition
  AnyHardwareField field;
  std::string_view title = {};   // for people, among the hardware that show lists; empty: not there
  std::string_view values = {};  // what it can be, where its type and limits do not say
  std::string_view hint = {};    // for who gave a wrong value: "give it a unit: 512M, 4G"
  Limits limits = {};            // of a number, wherever it is given
  Limits kept_limits = {};       // what a definition may say: older hrvms, and people, gave other numbers
  HardwareOption option = {};
  std::string_view shown_as = {};  // with --json, where that is not `member`
  bool is_shown = true;            // with --json
  bool can_be_set = true;          // by hrvm set
  bool is_of_disk = false;         // a machine on a folder has no such thing
  bool came_later = false;         // than the first definitions, which lack it
};

// In the order in which they are shown to people.
std::span<const HardwareSetting> hardware_settings();

// "virtio, sata, nvme, scsi or ide", "from 1 to 1024".
std::string values_of(const HardwareSetting& setting);
// The words that it can be, where these are a closed set; "bridge=INTERFACE" stands for any that goes on so.
std::vector<std::string> choices_of(const HardwareSetting& setting);
bool is_switch(const HardwareSetting& setting);

// Sets it by what a person wrote; false where it cannot be that.
bool set(const HardwareSetting& setting, Hardware& hardware, const std::string& text);
// The same of a wish. Whether a CPU model is one is left to who plans the boot.
bool ask(const HardwareSetting& setting, HardwareRequest& request, const std::string& text);
// As the definition has it.
base::Json to_json(const HardwareSetting& setting, const Hardware& hardware);

// Error{usage} for numbers beyond the limits, which a definition may have from elsewhere.
void check_limits(const Hardware& hardware);

}  // namespace hrvm::machine
