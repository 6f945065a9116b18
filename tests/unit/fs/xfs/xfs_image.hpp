// XFS that mkfs itself fills, xfs_db as the oracle of what lies where, and devices that are wrong in places.
#pragma once

#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {

using Options = std::vector<std::string>;

// The lines of a prototype (mkfs.xfs(8)) for what is in the root folder.
inline Path make_xfs(const TemporaryDirectory& folder, const std::string& lines, const Options& options) {
  const auto image = folder / "image";
  std::ofstream(image).flush();
  std::filesystem::resize_file(image, 320 * base::MiB);
  Options command = {"mkfs.xfs", "-q", "-p", folder.write("prototype", "none\n0 0\nd--755 0 0\n" + lines + "$\n")};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(image);
  output_of(command);
  return image;
}

// What xfs_db says to these commands; with -x first it may change the image.
inline std::string ask_xfs_db(const Path& image, const Options& commands, bool may_write = false) {
  Options command = {"xfs_db", may_write ? "-x" : "-r"};
  for (const auto& each : commands) command.insert(command.end(), {"-c", each});
  command.push_back(image);
  return output_of(command);
}

inline std::uint64_t number_after(const std::string& text, std::string_view words) {
  const auto at = text.find(words);
  REQUIRE(at != text.npos);
  return std::stoull(text.substr(at + words.size()), nullptr, 0);
}

// Where what xfs_db looks at after these commands lies on the device.
inline std::uint64_t offset_by_xfs_db(const Path& image, Options commands) {
  commands.push_back("addr");
  return number_after(ask_xfs_db(image, commands), "byte offset ");
}

// Another device with some bytes that are wrong, that counts what it is asked for.
class Damaged : public block::BlockDevice {
 public:
  explicit Damaged(block::BlockDevice& whole) : whole_(whole) {}
  std::map<std::uint64_t, std::byte> wrong;
  std::uint64_t bytes_read = 0;

  template <typename T>
  void put(std::uint64_t offset, const T& value) {
    std::array<std::byte, sizeof(T)> bytes;
    base::store(std::span<std::byte>(bytes), 0, value);
    for (const auto each : bytes) wrong[offset++] = each;
  }

  using BlockDevice::read;
  std::uint64_t size() const override { return whole_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    bytes_read += out.size();
    whole_.read(offset, out);
    for (auto it = wrong.lower_bound(offset); it != wrong.end() && it->first < offset + out.size(); ++it)
      out[it->first - offset] = it->second;
  }
  const std::string& name() const override { return whole_.name(); }

 private:
  block::BlockDevice& whole_;
};

inline Node node_of(FileSystem& files, std::string_view path) {
  const auto node = find(files, path);
  REQUIRE(node.has_value());
  return *node;
}

inline std::vector<std::string> names_in(FileSystem& files, Node folder) {
  std::vector<std::string> names;
  files.visit(folder, [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  });
  return names;
}

}  // namespace hrvm::fs::test
