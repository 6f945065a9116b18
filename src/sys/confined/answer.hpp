// What a confined child's end says, and what it sent.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "hrvm/sys/confined.hpp"

namespace hrvm::sys {

std::string took_longer_than(std::chrono::milliseconds time);
// Of a wait status that is no good end.
std::string describe_end(int status, const Confinement& limits);
// Of what it sent last, from its tag on; not empty. That is not to be trusted either: a broken one may send anything.
ConfinedAnswer decode_answer(std::string_view received);

}  // namespace hrvm::sys
