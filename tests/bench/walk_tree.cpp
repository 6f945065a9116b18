// walk_tree TYPE IMAGE: visits every folder of a filesystem and stats every file. Prints how many there are, and the
// sum that walk.sh makes of what find tells of them. walk_tree TYPE IMAGE FOLDER NAME: visits one folder, then finds a
// name in it. Prints how many entries it has, and how many bytes were read from the image to find the name.
#include <fmt/core.h>

#include <cstdio>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/read_cache.hpp"
#include "hrvm/fs/file_system.hpp"

namespace {

using namespace hrvm;

struct Tally {
  std::uint64_t files = 0, sum = 0;

  void add(const fs::Stat& stat) {
    const auto seconds = std::uint64_t(stat.times.modified.seconds);
    sum += (stat.node.id * 31 + stat.size_bytes * 17 + seconds * 13 + stat.mode) % (1ull << 32);
    ++files;
  }
};

std::unique_ptr<fs::FileSystem> open(std::string_view type, block::BlockDevice& device) {
  auto files = fs::open_file_system(type, device);
  if (!files) throw base::Error(base::ErrorKind::unsupported, fmt::format("there is no reader for {}", type));
  return files;
}

void walk(fs::FileSystem& files) {
  Tally tally;
  tally.add(files.stat(files.root()));
  for (std::vector<fs::Node> folders{files.root()}; !folders.empty();) {
    const fs::Node folder = folders.back();
    folders.pop_back();
    files.visit(folder, [&](const fs::DirectoryEntry& entry) {
      tally.add(files.stat(entry.node));
      if (entry.kind == fs::FileKind::directory) folders.push_back(entry.node);
      return true;
    });
  }
  fmt::print("{} {}\n", tally.files, tally.sum);
}

void visit_and_find(std::string_view type, block::BlockDevice& image, std::string_view path, std::string_view name) {
  std::uint64_t entries = 0;
  {
    const auto files = open(type, image);
    files->visit(fs::find(*files, path).value(), [&](const fs::DirectoryEntry&) { return ++entries != 0; });
  }
  block::ReadCache counted(image);
  const auto files = open(type, counted);
  const fs::Node folder = fs::find(*files, path).value();
  const auto before = counted.count().bytes;
  const bool is_there = files->find(folder, name).has_value();
  fmt::print("{} {}{}\n", entries, counted.count().bytes - before, is_there ? "" : " and is not there");
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 3 && count != 5) {
    fmt::print(stderr, "usage: walk_tree TYPE IMAGE [FOLDER NAME]\n");
    return 2;
  }
  const auto image = block::open_device(arguments[2]);
  if (count == 3)
    walk(*open(arguments[1], *image));
  else
    visit_and_find(arguments[1], *image, arguments[3], arguments[4]);
} catch (const std::exception& error) {
  fmt::print(stderr, "walk_tree: {}\n", error.what());
  return 1;
}
