#include "probe/registry/hive.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "probe/registry/hive_format.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_children = 1 << 17;  // of a key, with the lists that name them
constexpr std::size_t longest_value = base::MiB;
constexpr std::size_t most_values = 1 << 14;

template <typename T>
T load(std::string_view bytes, std::size_t offset = 0) {
  return base::load<T>(std::as_bytes(std::span(bytes)), offset);
}

bool has_signature(std::string_view cell, std::string_view signature, std::size_t size) {
  return cell.size() >= size && cell.starts_with(signature);
}

std::string from_latin_1(std::string_view text) {
  std::string wide;
  for (const char c : text) wide += {c, '\0'};
  return base::from_utf16le(wide);
}

std::string to_name(std::string_view bytes, bool latin_1) {
  return latin_1 ? from_latin_1(bytes) : base::from_utf16le(bytes);
}

// Of the upper-case name, as "lh" lists have it; nullopt for names that it takes more than ASCII to put in upper case.
std::optional<std::uint32_t> hash_of(std::string_view name) {
  std::uint32_t hash = 0;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    hash = hash * 37 + std::uint32_t(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return hash;
}

regf::KeyNode key_node(HiveCells& cells, Hive::Key key) {
  const auto cell = cells.read(key, sizeof(regf::KeyNode));
  if (!has_signature(cell, "nk", sizeof(regf::KeyNode))) throw cells.broken("a key is none", key);
  return load<regf::KeyNode>(cell);
}

bool is_same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && base::starts_with_ignoring_case(a, b);
}

}  // namespace

std::optional<std::string> RegistryValue::text() const {
  if (type != RegistryType::text && type != RegistryType::expandable_text) return std::nullopt;
  return base::from_utf16le(data);
}

std::optional<std::uint32_t> RegistryValue::number() const {
  if (data.size() != 4) return std::nullopt;
  if (type == RegistryType::number) return load<base::le32>(data);
  if (type == RegistryType::big_endian_number) return load<base::be32>(data);
  return std::nullopt;
}

std::optional<std::vector<std::string>> RegistryValue::texts() const {
  if (type != RegistryType::texts) return std::nullopt;
  std::vector<std::string> all;
  for (std::size_t start = 0; start + 2 <= data.size();) {
    std::size_t end = start;
    while (end + 2 <= data.size() && load<base::le16>(data, end) != 0) end += 2;
    if (end == start) break;
    all.push_back(base::from_utf16le(std::string_view(data).substr(start, end - start)));
    start = end + 2;
  }
  return all;
}

std::string Hive::name_of(Key key) {
  const auto cell = cells_.read(key, sizeof(regf::KeyNode) + 0xffff);
  if (!has_signature(cell, "nk", sizeof(regf::KeyNode))) throw cells_.broken("a key is none", key);
  const auto node = load<regf::KeyNode>(cell);
  return to_name(std::string_view(cell).substr(sizeof node, node.name_length), node.flags & regf::name_is_latin_1);
}

bool Hive::visit_list(std::uint32_t list, bool may_nest, std::size_t& left, const Visit& visit) {
  const auto header_bytes = cells_.read(list, sizeof(regf::ListHeader));
  if (header_bytes.size() < sizeof(regf::ListHeader)) throw cells_.broken("a list of keys is cut off", list);
  const auto header = load<regf::ListHeader>(header_bytes);
  const std::string_view signature(header.signature.data(), header.signature.size());
  const bool nests = signature == "ri", hints = signature == "lh" || signature == "lf";
  if ((!nests && !hints && signature != "li") || (nests && !may_nest))
    throw cells_.broken("a list of keys is none", list);
  const std::size_t step = hints ? sizeof(regf::HintedChild) : sizeof(base::le32), bytes = step * header.count;
  if (left < 1u + header.count) throw cells_.broken("it has too many keys in one", list);
  left -= 1u + header.count;
  const auto cell = cells_.read(list, sizeof header + bytes);
  if (cell.size() < sizeof header + bytes) throw cells_.broken("a list of keys is cut off", list);
  for (std::size_t at = sizeof header; at < sizeof header + bytes; at += step) {
    const auto key = std::uint32_t(load<base::le32>(cell, at));
    if (nests && visit_list(key, false, left, visit)) return true;
    if (nests) continue;
    const auto hash = signature == "lh" ? std::optional<std::uint32_t>(load<base::le32>(cell, at + 4)) : std::nullopt;
    if (visit(key, hash)) return true;
  }
  return false;
}

void Hive::visit_children(Key parent, const Visit& visit) {
  const auto node = key_node(cells_, parent);
  if (node.subkey_count == 0 || node.subkey_list == regf::nowhere) return;
  std::size_t left = most_children;
  visit_list(node.subkey_list, true, left, visit);
}

std::optional<Hive::Key> Hive::child(Key parent, std::string_view name) {
  const auto wanted = hash_of(name);
  std::optional<Key> found;
  visit_children(parent, [&](Key key, std::optional<std::uint32_t> hash) {
    if (hash && wanted && *hash != *wanted) return false;
    if (is_same_name(name_of(key), name)) found = key;
    return found.has_value();
  });
  return found;
}

std::optional<Hive::Key> Hive::find(std::string_view path) {
  std::optional<Key> here = cells_.root();
  for (const std::string_view name : base::split(path, '\\'))
    if (here && !name.empty()) here = child(*here, name);
  return here;
}

std::vector<std::string> Hive::subkeys(Key key) {
  std::vector<std::string> names;
  visit_children(key, [&](Key child, std::optional<std::uint32_t>) {
    names.push_back(name_of(child));
    return false;
  });
  return names;
}

std::string Hive::big_data(std::uint32_t offset, std::size_t length) {
  const auto head = cells_.read(offset, sizeof(regf::BigData));
  if (!has_signature(head, "db", sizeof(regf::BigData))) throw cells_.broken("a large value is none", offset);
  const auto big = load<regf::BigData>(head);
  const auto list = cells_.read(big.segment_list, sizeof(base::le32) * big.segment_count);
  std::string bytes;
  for (std::size_t at = 0; at + 4 <= list.size() && bytes.size() < length; at += 4)
    bytes += cells_.read(load<base::le32>(list, at), std::min(regf::segment_bytes, length - bytes.size()));
  return bytes;
}

std::string Hive::data(std::uint32_t offset, std::uint32_t length) {
  if (length & regf::data_is_in_offset) {
    const base::le32 in_place = offset;
    std::string bytes(sizeof in_place, '\0');
    std::memcpy(bytes.data(), &in_place, sizeof in_place);
    return bytes.substr(0, length & ~regf::data_is_in_offset);
  }
  if (length > longest_value)
    throw base::Error(base::ErrorKind::unsupported, fmt::format("a registry value has {} bytes", length));
  if (length == 0) return {};
  auto bytes =
      cells_.has_big_data() && length > regf::segment_bytes ? big_data(offset, length) : cells_.read(offset, length);
  if (bytes.size() < length) throw cells_.broken("a value is cut off", offset);
  return bytes;
}

std::optional<RegistryValue> Hive::value(Key key, std::string_view name) {
  const auto node = key_node(cells_, key);
  if (node.value_count == 0 || node.value_list == regf::nowhere) return std::nullopt;
  const auto count = std::min<std::size_t>(node.value_count, most_values);
  const auto list = cells_.read(node.value_list, count * sizeof(base::le32));
  for (std::size_t at = 0; at + 4 <= list.size(); at += 4) {
    const auto offset = std::uint32_t(load<base::le32>(list, at));
    const auto value = cells_.read(offset, sizeof(regf::ValueNode) + 0xffff);
    if (!has_signature(value, "vk", sizeof(regf::ValueNode))) throw cells_.broken("a value is none", offset);
    const auto about = load<regf::ValueNode>(value);
    const auto its_name = std::string_view(value).substr(sizeof about, about.name_length);
    if (is_same_name(to_name(its_name, about.flags & regf::value_name_is_latin_1), name))
      return RegistryValue{RegistryType(std::uint32_t(about.type)), data(about.data_offset, about.data_length)};
  }
  return std::nullopt;
}

std::optional<RegistryValue> Hive::value(std::string_view key_path, std::string_view name) {
  const auto key = find(key_path);
  return key ? value(*key, name) : std::nullopt;
}

}  // namespace hrvm::probe
