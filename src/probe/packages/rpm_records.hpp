// What rpm's databases are to its reader: records, each a package's header.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

// The bytes are valid until the visitor returns.
using RecordVisitor = std::function<void(std::span<const std::byte> record)>;

inline constexpr std::size_t largest_record = 64 << 20;  // headers of real packages take some MiB at most

// Each record once, and memory for the largest of them. Error{corrupt} for a file that breaks its format's rules,
// Error{unsupported} for what hrvm does not read of it. Links are not followed.

// The column `blob` of the table Packages (sqlite.org/fileformat2.html), with what a write-ahead log beside the file
// says that is committed.
void visit_sqlite_records(fs::FileSystem& files, const std::string& path, const RecordVisitor& visitor);
// rpm's own ndb.
void visit_ndb_records(fs::FileSystem& files, const std::string& path, const RecordVisitor& visitor);

}  // namespace hrvm::probe
