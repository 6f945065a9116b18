#include "fs/xfs/log_transactions.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t most_bytes = 256 * base::MiB;

Error damaged() { return Error(ErrorKind::corrupt, "the log has an operation that cannot be"); }

// A header, then items.
std::vector<Item> items_of(const Item& regions) {
  if (regions.empty() || regions[0].size() < sizeof(TransactionHeader) ||
      base::load<TransactionHeader>(regions[0]).magic != transaction_magic)
    throw damaged();
  std::vector<Item> items;
  for (std::size_t i = 1; i < regions.size();) {
    if (regions[i].size() < sizeof(ItemHeader)) throw damaged();
    const std::size_t count = base::load<ItemHeader>(regions[i]).regions;
    if (count == 0 || count > regions.size() - i) throw damaged();
    const auto first = regions.begin() + std::ptrdiff_t(i);
    items.emplace_back(first, first + std::ptrdiff_t(count));
    i += count;
  }
  return items;
}

}  // namespace

void LogTransactions::add(const Record& record) {
  if (record.header.format != little_endian_format)
    throw Error(ErrorKind::unsupported, "the log was written by a processor of another kind");
  auto rest = std::span<const std::byte>(record.body);
  for (std::uint32_t left = record.header.operations; left > 0 && !rest.empty(); --left) {
    if (rest.size() < sizeof(Operation)) throw damaged();
    const auto operation = base::load<Operation>(rest);
    rest = rest.subspan(sizeof(Operation));
    if (operation.bytes > rest.size()) throw damaged();
    add(operation, rest.first(operation.bytes), record.header.place);
    rest = rest.subspan(operation.bytes);
  }
}

// What began before the log's tail has no start here, and is left out.
void LogTransactions::add(const Operation& operation, std::span<const std::byte> data, std::uint64_t place) {
  if (operation.client != client_transaction && operation.client != client_log) throw damaged();
  const auto found = open_.find(operation.transaction);
  if (found == open_.end()) {
    if (operation.flags & op_start) open_[operation.transaction].place = place;
    return;
  }
  if (operation.flags & op_start) throw damaged();
  if (operation.flags & op_commit) commit(found->second);
  if (operation.flags & (op_commit | op_unmount)) {
    taken_ -= found->second.bytes.size();
    open_.erase(found);
  } else {
    append(found->second, data, operation.flags & op_continued);
  }
}

void LogTransactions::append(Open& open, std::span<const std::byte> data, bool is_continued) {
  if (data.empty()) return;
  taken_ += data.size();
  if (taken_ > most_bytes) throw Error(ErrorKind::unsupported, "the log has a transaction that is too long");
  open.bytes.insert(open.bytes.end(), data.begin(), data.end());
  if (is_continued && !open.ends.empty())
    open.ends.back() = open.bytes.size();
  else
    open.ends.push_back(open.bytes.size());
}

void LogTransactions::commit(const Open& open) {
  if (open.ends.empty()) return;
  Item regions;
  std::size_t begin = 0;
  for (const auto end : open.ends) {
    regions.push_back(std::span(open.bytes).subspan(begin, end - begin));
    begin = end;
  }
  visitor_({open.place, items_of(regions)});
}

}  // namespace hrvm::fs::xfs
