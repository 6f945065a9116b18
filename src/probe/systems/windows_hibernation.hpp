// hiberfil.sys: whether Windows lies in it, and after what kind of an end.
#pragma once

#include <string_view>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

enum class Hibernation {
  none,
  hibernated,    // all that ran is in it
  fast_startup,  // shut down, but the kernel is in it (Windows 8 and later)
};

// `header` is the file's first page. Where a header is of a Windows that is not known here, it is `hibernated`.
Hibernation hibernation_in(std::string_view header);

// Of the file in a root; `none` where it is not there or cannot be read.
Hibernation hibernation_of(fs::FileSystem& root);

}  // namespace hrvm::probe
