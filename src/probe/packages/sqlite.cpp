// One table of a SQLite database: from the schema on page 1 to its root, down its b-tree, along the overflow chains of
// its rows. Nothing of SQL is understood.
#include <algorithm>
#include <optional>
#include <string_view>

#include "probe/packages/rpm_records.hpp"
#include "probe/packages/sqlite_format.hpp"
#include "probe/packages/sqlite_pages.hpp"

namespace hrvm::probe {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t deepest_tree = 20;  // SQLite's own limit

// 1.6, "variable-length integer": 7 bits in each of eight bytes, the highest first, then 8 in a ninth. nullopt where
// the bytes end first.
std::optional<std::uint64_t> take_varint(Bytes& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    if (i == bytes.size()) return std::nullopt;
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    const bool is_last = i == 8 || byte < 0x80;
    value = i == 8 ? value << 8 | byte : value << 7 | (byte & 0x7f);
    if (!is_last) continue;
    bytes = bytes.subspan(i + 1);
    return value;
  }
  return std::nullopt;
}

// 2.1. What of a record's column lies in it, and what it is.
struct Column {
  std::uint64_t type = 0;
  Bytes bytes;

  bool is_blob() const { return type >= 12 && type % 2 == 0; }
  bool is_text() const { return type >= 13 && type % 2 == 1; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  // Of a number that is not negative.
  std::optional<std::uint64_t> number() const {
    constexpr std::uint64_t zero = 8, one = 9, widest = 6;
    if (type == zero || type == one) return type - zero;
    if (type == 0 || type > widest) return std::nullopt;
    std::uint64_t value = 0;
    for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }
};

std::uint64_t bytes_of_type(std::uint64_t type) {
  constexpr std::uint8_t of_numbers[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < std::size(of_numbers) ? of_numbers[type] : (type - 12) / 2;
}

// nullopt where the record has no such column, or leaves its own bounds.
std::optional<Column> column_of(Bytes record, std::size_t index) {
  Bytes header = record;
  const auto header_bytes = take_varint(header);
  const std::size_t length_bytes = record.size() - header.size();
  if (!header_bytes || *header_bytes > record.size() || *header_bytes < length_bytes) return std::nullopt;
  header = header.first(std::size_t(*header_bytes) - length_bytes);
  Bytes body = record.subspan(std::size_t(*header_bytes));
  for (std::size_t i = 0;; ++i) {
    const auto type = take_varint(header);
    if (!type) return std::nullopt;
    const std::uint64_t length = bytes_of_type(*type);
    if (length > body.size()) return std::nullopt;
    if (i == index) return Column{*type, body.first(std::size_t(length))};
    body = body.subspan(std::size_t(length));
  }
}

// Goes down a table. No page of a sound one is met twice, so more are not read than the database has.
class Walk {
 public:
  Walk(SqlitePages& pages, const RecordVisitor& visitor) : pages_(pages), visitor_(visitor), left_(pages.count()) {}

  void visit(std::uint32_t number, std::size_t depth = 0) {
    if (depth == deepest_tree) pages_.fail("its tree is too deep", number);
    const auto page = read(number);
    const std::size_t start = number == 1 ? sizeof(SqliteHeader) : 0;
    const auto header = base::load<BtreeHeader>(page, start);
    if (header.kind != interior_table_page && header.kind != leaf_table_page)
      pages_.fail("it has no page of a table", number);
    const bool is_leaf = header.kind == leaf_table_page;
    const std::size_t pointers = start + sizeof(BtreeHeader) + (is_leaf ? 0 : sizeof(be32));
    const Bytes usable = Bytes(page).first(pages_.usable_bytes());
    if (pointers + header.cells * sizeof(be16) > usable.size())
      pages_.fail("a page has more cells than fit into it", number);
    for (std::size_t i = 0; i < header.cells; ++i) {
      const std::size_t at = base::load<be16>(page, pointers + i * sizeof(be16));
      if (at + sizeof(be32) > usable.size()) pages_.fail("a cell lies outside its page", number);
      is_leaf ? visit_row(usable.subspan(at), number) : visit(base::load<be32>(usable, at), depth + 1);
    }
    if (!is_leaf) visit(base::load<be32>(page, start + sizeof(BtreeHeader)), depth + 1);
  }

 private:
  std::vector<std::byte> read(std::uint32_t number) {
    if (left_-- == 0) pages_.fail("it has a page in two places", number);
    return pages_.read(number);
  }

  // 1.6, "Cell payload overflow pages": how much of it lies in the cell.
  std::size_t local_bytes(std::uint64_t payload) const {
    const std::uint64_t usable = pages_.usable_bytes(), most = usable - 35, least = (usable - 12) * 32 / 255 - 23;
    if (payload <= most) return std::size_t(payload);
    const std::uint64_t rest = least + (payload - least) % (usable - 4);
    return std::size_t(rest <= most ? rest : least);
  }

  void visit_row(Bytes cell, std::uint32_t number) {
    const auto payload = take_varint(cell);
    const auto row = payload ? take_varint(cell) : std::nullopt;
    if (!row || *payload > largest_record) pages_.fail("a row is larger than hrvm reads, or broken", number);
    const std::size_t local = local_bytes(*payload);
    const bool is_whole = local == *payload;
    if (cell.size() < local + (is_whole ? 0 : sizeof(be32))) pages_.fail("a row lies outside its page", number);
    if (is_whole) return visitor_(cell.first(local));
    row_.assign(cell.begin(), cell.begin() + std::ptrdiff_t(local));
    add_overflow(base::load<be32>(cell, local), std::size_t(*payload));
    visitor_(row_);
  }

  void add_overflow(std::uint32_t number, std::size_t payload) {
    while (row_.size() < payload) {
      const auto page = read(number);
      const Bytes content = Bytes(page).first(pages_.usable_bytes()).subspan(sizeof(be32));
      const auto part = content.first(std::min(content.size(), payload - row_.size()));
      row_.insert(row_.end(), part.begin(), part.end());
      number = base::load<be32>(page);
    }
    if (number != 0) pages_.fail("a row has pages behind its end", number);
  }

  SqlitePages& pages_;
  const RecordVisitor& visitor_;
  std::uint64_t left_;
  std::vector<std::byte> row_;
};

// 2.6: the columns type, name, tbl_name, rootpage, sql.
std::optional<std::uint32_t> root_of_table(SqlitePages& pages, std::string_view table) {
  std::optional<std::uint32_t> root;
  const RecordVisitor look = [&](Bytes record) {
    const auto type = column_of(record, 0), name = column_of(record, 1), page = column_of(record, 3);
    if (type && type->is_text() && type->text() == "table" && name && name->is_text() && name->text() == table)
      root = page ? page->number() : std::nullopt;
  };
  Walk(pages, look).visit(1);
  return root;
}

}  // namespace

// The column before it, hnum, is the row's own number.
void visit_sqlite_records(fs::FileSystem& files, const std::string& path, const RecordVisitor& visitor) {
  SqlitePages pages(files, path);
  const auto root = root_of_table(pages, "Packages");
  if (!root) pages.fail("it has no table Packages", 1);
  const RecordVisitor visit = [&](Bytes record) {
    const auto blob = column_of(record, 1);
    if (!blob || !blob->is_blob()) pages.fail("a row of Packages has no header in it", *root);
    visitor(blob->bytes);
  };
  Walk(pages, visit).visit(*root);
}

}  // namespace hrvm::probe
