// A package's header as rpm keeps it in its database: an index of tags, and the store of their values. The format is
// that of rpm's documentation, "RPM v4 package format", section "Header", without its magic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hrvm::probe {

enum class RpmTag : std::uint32_t {
  name = 1000,
  version = 1001,
  release = 1002,
  epoch = 1003,
  architecture = 1022,
  old_file_names = 1027,  // whole paths; of packages that were built before rpm 4
  folder_indexes = 1116,
  base_names = 1117,
  folder_names = 1118,
};

class RpmHeader {
 public:
  // The bytes must outlive it. Error{corrupt} where they are no header.
  explicit RpmHeader(std::span<const std::byte> bytes);

  // Nothing where the tag is not there, is of another type, or leaves the store.
  std::optional<std::string_view> text(RpmTag tag) const;
  std::optional<std::uint32_t> number(RpmTag tag) const;

  // Every file and folder of the package, by its whole path, which is valid until the visitor returns.
  void visit_paths(const std::function<void(std::string_view path)>& visitor) const;

 private:
  struct Values {
    std::uint32_t type = 0, count = 0;
    std::span<const std::byte> bytes;  // from the first on, to the end of the store
  };
  std::optional<Values> find(RpmTag tag) const;
  std::vector<std::string_view> texts(RpmTag tag) const;
  std::vector<std::uint32_t> numbers(RpmTag tag) const;

  std::span<const std::byte> index_, store_;
};

}  // namespace hrvm::probe
