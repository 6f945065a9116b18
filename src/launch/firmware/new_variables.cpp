#include "hrvm/launch/new_variables.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/boot_options.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using machine::SecureBoot;

bool fit(const machine::Path& file, SecureBoot wanted) {
  if (wanted == SecureBoot::blank) return true;
  try {
    const VariableStore variables(sys::read_file(file, largest_flash), file);
    return has_secure_boot_keys(variables) == (wanted == SecureBoot::on);
  } catch (const Error&) {
    return true;
  }
}

void tell_of_no_entries(const Listener& listener, const Error& error) {
  listener.warn(fmt::format("the machine gets no boot entries: {}", error.message()));
}

// For the loaders that are on the disk now; what cannot be read has none.
std::vector<BootEntry> entries_of(const sys::Host& host, const Listener& listener, const probe::Disk& base) {
  try {
    return boot_entries(probe::survey_disk(host, base, probe::Thoroughness::quick).contents);
  } catch (const Error& error) {
    tell_of_no_entries(listener, error);
    return {};
  }
}

std::string with_entries(std::string bytes, const std::string& file, const std::vector<BootEntry>& entries) {
  VariableStore variables(std::move(bytes), file);
  add_boot_entries(variables, entries);
  return variables.bytes();
}

}  // namespace

std::optional<machine::Path> fitting_variables(const machine::Machine& machine, const machine::State& state,
                                               SecureBoot wanted) {
  if (!state.nvram) return std::nullopt;
  auto file = machine.nvram_path(*state.nvram);
  return fit(file, wanted) ? std::optional(std::move(file)) : std::nullopt;
}

std::string new_variables(const sys::Host& host, const Listener& listener, const UefiFirmware& firmware,
                          const probe::Disk& base) {
  const auto entries = entries_of(host, listener, base);
  auto bytes = sys::read_file(host.path(firmware.template_path), largest_flash);
  if (entries.empty()) return bytes;
  try {
    return with_entries(bytes, firmware.template_path, entries);
  } catch (const Error& error) {
    tell_of_no_entries(listener, error);
    return bytes;
  }
}

std::string id_of_next_variables(const machine::Machine& machine) {
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < sizeof id; ++i) id = id << 8 | machine.definition.uuid.bytes[i];
  return base::hex(id + machine.generation + 1, 16);
}

machine::Machine give_variables(const machine::Store& store, const machine::Machine& machine, const std::string& id,
                                std::string_view variables) {
  const auto path = machine.nvram_path(id);
  sys::make_directories(path.parent_path());
  sys::AtomicFile file(path);
  file.write(variables);
  file.commit();
  auto definition = machine.definition;
  definition.active.nvram = id;
  return store.commit(machine.name, definition);
}

}  // namespace hrvm::launch
