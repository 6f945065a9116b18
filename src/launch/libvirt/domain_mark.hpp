// The element in a domain's metadata by which hrvm knows it.
#pragma once

namespace hrvm::launch {

inline constexpr auto mark_element = "hrvm:machine";
inline constexpr auto mark_namespace_attribute = "xmlns:hrvm";
inline constexpr auto mark_namespace = "urn:hrvm:machine:1";

}  // namespace hrvm::launch
