// The version of the document that a definition is written as, and the rules that its members share.
//
// A version grows by members. A new one may be missing (`later` where it is read, `came_later` of a setting), so that a
// newer hrvm reads what an older one wrote. An older hrvm refuses a member that it does not know, and says that a newer
// one made the machine: with its next change it would lose what the member says.
//
// The next version comes when a member is to mean something else, or when one goes. The hrvm that brings it reads both,
// and writes the newer one with a machine's first change and no sooner. Each release leaves a store in
// tests/corpus/stores, which every later one opens.
//
// 2: `hardware` lists each hardware once, and states and snapshots tell which; `log` in place of `previous`; a snapshot
// leaves out what goes without saying.
#pragma once

#include <string_view>

namespace hrvm::machine {

inline constexpr std::string_view definition_schema = "hrvm.machine/2", definition_schema_name = "hrvm.machine/";
inline constexpr unsigned definition_schema_version = 2;

// 16 lower-case hex digits: what layers and NVRAM files are named by.
bool is_id(std::string_view text);
// Of a length that every filesystem takes.
bool is_absolute_path(std::string_view text);

}  // namespace hrvm::machine
