// The transactions in an XFS log, put together from the operations of its records.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "fs/xfs/log_ring.hpp"

namespace hrvm::fs::xfs {

// Regions, the first of which says what it is; valid as long as the transaction.
using Item = std::vector<std::span<const std::byte>>;

struct Transaction {
  std::uint64_t place = 0;  // of the record in which it begins: cycle and sector
  std::vector<Item> items;  // none is empty, and no first region is shorter than an ItemHeader
};

using TransactionVisitor = std::function<void(const Transaction&)>;

class LogTransactions {
 public:
  // Error{unsupported} beyond 256 MiB of transactions that are open at a time.
  explicit LogTransactions(TransactionVisitor visitor) : visitor_(std::move(visitor)) {}

  // Each that this record completes goes to the visitor. What is never committed goes nowhere. Error{corrupt} for
  // operations that cannot be.
  void add(const Record& record);

 private:
  // The regions one behind the other.
  struct Open {
    std::uint64_t place = 0;
    std::vector<std::byte> bytes;
    std::vector<std::size_t> ends;
  };

  void add(const Operation& operation, std::span<const std::byte> data, std::uint64_t place);
  void append(Open& open, std::span<const std::byte> data, bool is_continued);
  void commit(const Open& open);

  TransactionVisitor visitor_;
  std::map<std::uint32_t, Open> open_;
  std::size_t taken_ = 0;
};

}  // namespace hrvm::fs::xfs
