// A tree of files on its way through a pipe: from a confined child, which reads it, to its parent, which makes
// something of it. What comes out of the pipe is as hostile as what was read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

// A file, as its sink hears of it.
struct StreamedFile {
  std::string path;  // of names joined by slashes, none of them empty, "." or ".."; empty: where the tree begins
  Stat stat;
  std::string target;  // of a link
  std::vector<Attribute> attributes;
};

// Hears of a tree as it comes: a folder before what lies in it, and again when all of that has come; of a regular file
// its data, in order, without its holes.
class TreeSink {
 public:
  virtual ~TreeSink() = default;
  virtual void begin(const StreamedFile& file) = 0;
  virtual void data(std::uint64_t offset, std::string_view bytes) = 0;
  virtual void end(const StreamedFile& file) = 0;                            // of folders and regular files
  virtual void failed(std::string_view path, std::string_view message) = 0;  // it, or the rest of it, could not be read
};

// In the child: all from `start` down.
using StreamWriter = std::function<void(std::string_view part)>;
void send_tree(FileSystem& files, Node start, const StreamWriter& write);

// In the parent: takes the parts, each as it was written. Error{corrupt} where they make no sense: names that lead
// elsewhere, data of no file, a folder within a file.
class TreeReceiver {
 public:
  explicit TreeReceiver(TreeSink& sink) : sink_(sink) {}
  void take(std::string_view part);

 private:
  void begin(std::string_view header);
  void data(std::string_view part);
  void end();
  void failed(std::string_view header);

  TreeSink& sink_;
  std::vector<StreamedFile> open_;  // the folders on the way, and a file in the last of them
  bool began_ = false;
};

}  // namespace hrvm::fs
