// Hive: a file of the Windows registry ("regf", versions 1.3 to 1.6), read through a FileSystem. Only the cells on the
// way to a key or value are read, in blocks of 16 KiB of which 64 are kept: SOFTWARE of a real system has 60 to 120 MB.
//
// The format is Microsoft's own; the names are those of M. Suhanov's "Windows registry file format specification".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/fs/file_system.hpp"
#include "probe/registry/hive_cells.hpp"

namespace hrvm::probe {

// Microsoft's numbers; one that has no name here is kept as it is.
enum class RegistryType : std::uint32_t {
  none = 0,
  text = 1,             // REG_SZ
  expandable_text = 2,  // REG_EXPAND_SZ
  binary = 3,
  number = 4,  // REG_DWORD
  big_endian_number = 5,
  texts = 7,  // REG_MULTI_SZ
};

struct RegistryValue {
  RegistryType type = RegistryType::none;
  std::string data;  // as it lies in the hive

  std::optional<std::string> text() const;      // of both kinds of text, in UTF-8
  std::optional<std::uint32_t> number() const;  // of 32 bits, in either byte order
  std::optional<std::vector<std::string>> texts() const;
};

// What breaks the format's rules is Error{corrupt} where it is met; what is sound beside it can still be read.
class Hive {
 public:
  using Key = std::uint32_t;  // the offset of its cell

  // Error{corrupt} when the file is no hive, Error{not_found} when it is not there.
  Hive(fs::FileSystem& files, std::string path) : cells_(files, std::move(path)) {}

  // Windows was stopped while it wrote: the newest changes are in the log files beside it, which are not replayed.
  bool is_dirty() const { return cells_.is_dirty(); }

  // By names parted by backslashes, in any case, from the root (an empty path). nullopt when it is not there.
  std::optional<Key> find(std::string_view path);
  // An empty name is the key's default value. Error{unsupported} for one of more than a MiB.
  std::optional<RegistryValue> value(Key key, std::string_view name);
  std::optional<RegistryValue> value(std::string_view key_path, std::string_view name);
  std::vector<std::string> subkeys(Key key);

 private:
  using Visit = std::function<bool(Key, std::optional<std::uint32_t> hash)>;  // true: that was it

  std::string name_of(Key key);
  void visit_children(Key parent, const Visit& visit);
  bool visit_list(std::uint32_t list, bool may_nest, std::size_t& left, const Visit& visit);
  std::optional<Key> child(Key parent, std::string_view name);
  std::string big_data(std::uint32_t offset, std::size_t length);
  std::string data(std::uint32_t offset, std::uint32_t length);

  HiveCells cells_;
};

}  // namespace hrvm::probe
