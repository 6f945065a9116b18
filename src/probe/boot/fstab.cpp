#include "probe/boot/fstab.hpp"

#include <algorithm>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_lines = 1024, longest_line = 8192;

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// "\040" is a blank; mount(8) takes quotes away.
std::string plain(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool is_escape =
        field[i] == '\\' && i + 3 < field.size() && std::ranges::all_of(field.substr(i + 1, 3), is_octal);
    if (is_escape) {
      text += char((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
      i += 3;
    } else if (field[i] != '"') {
      text += field[i];
    }
  }
  return text;
}

std::vector<std::string> fields_of(std::string_view line) {
  std::string blanks(line);
  std::ranges::replace(blanks, '\t', ' ');
  std::vector<std::string> fields;
  for (std::string_view field : base::split(blanks, ' '))
    if (!field.empty()) fields.push_back(plain(field));
  return fields;
}

}  // namespace

bool FstabLine::has_option(std::string_view name) const {
  const auto all = base::split(options, ',');
  return std::ranges::find(all, name) != all.end();
}

std::optional<std::string> FstabLine::option(std::string_view name) const {
  for (std::string_view each : base::split(options, ','))
    if (each.starts_with(name) && each.substr(name.size()).starts_with('='))
      return std::string(each.substr(name.size() + 1));
  return std::nullopt;
}

std::string FstabLine::subvolume() const {
  const std::string path = option("subvol").value_or("");
  return path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

std::vector<FstabLine> parse_fstab(std::string_view text) {
  std::vector<FstabLine> lines;
  for (std::string_view line : base::lines(text)) {
    line = base::trim(line);
    if (line.starts_with('#') || line.size() > longest_line) continue;
    auto fields = fields_of(line);
    if (fields.size() < 2 || !fields[1].starts_with('/')) continue;
    if (lines.size() == most_lines) break;
    fields.resize(std::max<std::size_t>(fields.size(), 4));
    while (fields[1].size() > 1 && fields[1].ends_with('/')) fields[1].pop_back();
    lines.push_back({std::move(fields[0]), std::move(fields[1]), std::move(fields[2]), std::move(fields[3])});
  }
  return lines;
}

}  // namespace hrvm::probe
