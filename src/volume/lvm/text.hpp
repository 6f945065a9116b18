// LVM's metadata text (lib/config of lvm2): sections within sections, and values that are numbers, strings or lists of
// them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hrvm::volume::lvm {

using Value = std::variant<std::int64_t, std::string>;

class Section {
 public:
  // nullopt, null or empty where there is no such thing.
  std::optional<std::uint64_t> number(std::string_view key) const;  // none for a negative one
  std::optional<std::string> text(std::string_view key) const;
  const std::vector<Value>& list(std::string_view key) const;  // a single value is a list of one
  const Section* section(std::string_view key) const;

  // Error{corrupt} where it is not there.
  std::uint64_t required_number(std::string_view key) const;
  const Section& required_section(std::string_view key) const;

  struct Named;
  const std::vector<Named>& sections() const;  // in the order of the text

 private:
  friend class Parser;
  std::map<std::string, std::vector<Value>, std::less<>> values_;
  std::vector<Named> sections_;
};

struct Section::Named {
  std::string name;
  Section section;
};

// Error{corrupt} with the offset in the text. The text may end in NULs. Sections nest to a depth of 8 at most.
Section parse_text(std::string_view text);

}  // namespace hrvm::volume::lvm
