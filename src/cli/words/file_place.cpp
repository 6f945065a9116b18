#include "cli/words/file_place.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

base::Error nothing_there(std::string_view what) {
  return base::Error(base::ErrorKind::not_found,
                     fmt::format("{} is no machine, no snapshot and no disk", base::printable(what)))
      .hint(
          "say what, and where in it: web:/etc/fstab, web@fresh:/etc/fstab, /dev/sda:p3:/etc/fstab; hrvm list and hrvm "
          "discover tell what there is");
}

}  // namespace

FilePlace file_place(std::string_view word, const std::function<bool(const std::string&)>& is_there) {
  FilePlace place{.path = "/"};
  auto before = word;
  if (const auto start = word.find(":/"); start != word.npos) {
    before = word.substr(0, start);
    place.path = word.substr(start + 1);
  } else if (before.ends_with(':')) {
    before.remove_suffix(1);
  }
  for (auto end = before.size(); end != before.npos && end > 0; end = before.rfind(':', end - 1)) {
    place.what = before.substr(0, end);
    if (!is_there(place.what)) continue;
    place.volume = before.substr(std::min(end + 1, before.size()));
    return place;
  }
  throw nothing_there(before);
}

}  // namespace hrvm::cli
