// What import does for a folder where it would read a disk.
#pragma once

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::cli {

// The system whose root the folder is. Error{unsupported} when it is none or has no kernel; Error{refused} for a store
// that lies in it; Error{permission} for who is not root.
probe::Survey survey_folder(const Context& context, const machine::Store& store, const probe::Disk& folder);

}  // namespace hrvm::cli
