// What a partition is for, from its type and from what lies in it.
#pragma once

#include <string>
#include <string_view>

#include "hrvm/probe/signature.hpp"

namespace hrvm::probe {

// Containers that hold other things, which hrvm names and does not look into yet.
struct Container {
  std::string_view filesystem;  // libblkid's word
  std::string_view role;
  std::string_view name;  // "LVM"
  bool is_encrypted = false;
};
const Container* find_container(std::string_view filesystem);

// Before anything is known of the files in it. "" where type and signature say nothing.
std::string role_of(std::string_view type, const Signature* signature);

}  // namespace hrvm::probe
