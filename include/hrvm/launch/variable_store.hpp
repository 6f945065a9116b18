// VariableStore: the UEFI variables that a machine's flash holds, as EDK II lays them out: a firmware volume (PI 1.8,
// volume 3, 3.2.1) that begins with a store of authenticated variables (EDK II, MdeModulePkg,
// Include/Guid/VariableFormat.h). Written as the firmware itself would: what a variable replaces is marked deleted, the
// new one is appended, and nothing else changes; no checksum covers them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hrvm/base/guid.hpp"

namespace hrvm::launch {

// QEMU takes no more for both flash devices together.
inline constexpr std::size_t largest_flash = 8 << 20;

struct Variable {
  base::Guid vendor;
  std::string name;  // UTF-8
  std::uint32_t attributes = 0;
  std::vector<std::byte> data;
  friend bool operator==(const Variable&, const Variable&) = default;
};

inline constexpr std::uint32_t variable_non_volatile = 1, variable_at_boot = 2, variable_at_runtime = 4;

// EFI_GLOBAL_VARIABLE, the vendor of Boot####, BootOrder and PK (UEFI 2.10, 3.3).
base::Guid global_variable();

class VariableStore {
 public:
  // `bytes`: all of the flash. `file` is for messages only. Error{unsupported} for a store of another kind,
  // Error{corrupt} with the place of what does not fit.
  VariableStore(std::string bytes, std::string file);

  // Those that are valid.
  const std::vector<Variable>& variables() const { return variables_; }
  const Variable* find(const base::Guid& vendor, std::string_view name) const;
  // Error{unsupported} when there is no room left for it.
  void set(const Variable& variable);
  std::uint64_t free_bytes() const { return end_ - free_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void find_store();
  void read_variables();
  std::size_t read_variable(std::size_t at);
  void keep(Variable variable, std::size_t place);
  std::span<std::byte> flash();

  std::string bytes_, file_;
  std::size_t first_ = 0, free_ = 0, end_ = 0;  // of the variables, of what is free, of the store
  std::vector<Variable> variables_;
  std::vector<std::size_t> places_;                                  // of each variable's header
  std::map<std::pair<base::Guid, std::string>, std::size_t> index_;  // of variables_
};

}  // namespace hrvm::launch
