// What is made of a tree of files that comes through a pipe (tree_stream.hpp): files below a folder of the host, or a
// tar archive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "hrvm/fs/tree_stream.hpp"
#include "hrvm/sys/new_tree.hpp"

namespace hrvm::fs {

struct CopyWishes {
  bool owners = true;    // else all belongs to who copies
  bool special = false;  // also devices, FIFOs, sockets, and programs that run with another's rights
};

// What went into it, and what did not.
struct CopyCount {
  std::uint64_t files = 0, bytes = 0;  // bytes: of data, without holes
  std::uint64_t left_out = 0;          // special ones that were not asked for, and what has no kind that can be made
  std::uint64_t failed = 0;
  std::set<std::string> refused_attributes = {};  // by name
};

using TellFailure = std::function<void(std::string_view path, std::string_view message)>;

// Below a NewTree, under this name. Files that are one file by several names stay that, as far as 1 Mi of them. What
// cannot be made costs itself and what lies in it: that is told, and counted. Where the tree itself cannot, or there is
// no room, it is thrown. No file stays that is not whole.
class FolderSink : public TreeSink {
 public:
  FolderSink(sys::NewTree& tree, std::string name, const CopyWishes& wishes, TellFailure tell);
  FolderSink(const FolderSink&) = delete;
  FolderSink& operator=(const FolderSink&) = delete;
  ~FolderSink() override;
  void begin(const StreamedFile& file) override;
  void data(std::uint64_t offset, std::string_view bytes) override;
  void end(const StreamedFile& file) override;
  void failed(std::string_view path, std::string_view message) override;
  const CopyCount& count() const { return count_; }

 private:
  void make(const StreamedFile& file, const std::string& path);
  void begin_file(const StreamedFile& file, const std::string& path);
  void give_up_file();
  bool lies_in_skipped(const StreamedFile& file) const;
  template <typename Do>
  void unless_it_cannot(const StreamedFile& file, const Do& act);
  void make_special(const StreamedFile& file, const std::string& path, sys::NewTree::Special kind);
  std::string path_of(const StreamedFile& file) const;
  sys::FileProperties properties_of(const StreamedFile& file) const;

  sys::NewTree& tree_;
  std::string name_;
  CopyWishes wishes_;
  TellFailure tell_;
  CopyCount count_;
  sys::Fd file_;  // that is written; none where it is another name of one that is there
  std::string file_path_;
  StreamedFile open_;                   // what file_ is of
  std::optional<std::string> skipped_;  // a folder that could not be made
  std::map<Node, std::string> linked_;
};

// As POSIX.1-2001 has it (pax), with extended attributes as SCHILY.xattr.NAME. `write` takes the archive front to back;
// holes are zeros in it.
class TarSink : public TreeSink {
 public:
  TarSink(std::function<void(std::string_view)> write, const CopyWishes& wishes, TellFailure tell);
  // The name under which the next tree goes into it.
  void set_name(std::string name) { name_ = std::move(name); }
  void begin(const StreamedFile& file) override;
  void data(std::uint64_t offset, std::string_view bytes) override;
  void end(const StreamedFile& file) override;
  void failed(std::string_view path, std::string_view message) override;
  void finish();  // after the last tree
  const CopyCount& count() const { return count_; }

 private:
  struct Member;
  void write_member(const Member& member);
  void write_zeros(std::uint64_t count);
  std::string path_of(const StreamedFile& file) const;

  std::function<void(std::string_view)> write_;
  CopyWishes wishes_;
  TellFailure tell_;
  std::string name_;
  CopyCount count_;
  std::uint64_t written_ = 0;                                   // of the file that is open
  bool is_link_ = false;                                        // it is another name of one that is there
  std::map<std::pair<std::string, Node>, std::string> linked_;  // by the tree's name
};

}  // namespace hrvm::fs
