// What is done with the value of a setting, whatever its type.
#pragma once

#include <string>

#include "hrvm/machine/settings.hpp"
#include "machine/definition/document_value.hpp"

namespace hrvm::machine {

// From a definition. What it cannot be is Error{corrupt} that names the member.
void read_setting(const HardwareSetting& setting, const DocumentValue& value, Hardware& hardware);

// "4 GiB", "2".
std::string number_text(const HardwareSetting& setting, std::uint64_t number);

}  // namespace hrvm::machine
