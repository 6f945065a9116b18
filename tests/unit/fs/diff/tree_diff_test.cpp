#include "hrvm/fs/tree_diff.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "hrvm/block/devices.hpp"
#include "support/disk_writer.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

// Two states of one ext filesystem: what debugfs does to the second one leaves no traces but its own.
struct States {
  TemporaryDirectory folder;

  explicit States(const std::vector<std::string>& options = {}) {
    folder.write("tree/etc/fstab", "one\n");
    folder.write("tree/etc/hosts", "hosts\n");
    folder.write("tree/data/large", std::string(300'000, 'x'));
    folder.write("tree/data/deep/er/file", "deep\n");
    folder.write("tree/other/file", "other\n");
    std::filesystem::create_symlink("fstab", folder / "tree/etc/link");
    std::vector<std::string> command{"mke2fs", "-F", "-q", "-t", "ext4", "-d", folder / "tree"};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {folder / "from", "32M"});
    output_of(command);
    std::filesystem::copy_file(folder / "from", folder / "to");
  }
  void ask(const std::string& request) const { output_of({"debugfs", "-w", "-R", request, folder / "to"}); }

  std::vector<TreeChange> compare(const TreeDiffOptions& options = {}) const {
    const auto from = block::open_device(folder / "from"), to = block::open_device(folder / "to");
    const auto a = open_ext(*from), b = open_ext(*to);
    return compare_trees(*a, *b, options);
  }
  // "M /etc/fstab", "R /old -> /new"; of those that differ in more than times and counts of names.
  std::vector<std::string> told(const TreeDiffOptions& options = {}) const {
    std::vector<std::string> lines;
    for (const auto& each : compare(options))
      if (each.kind != TreeChangeKind::modified || each.differs.is_plain())
        lines.push_back(std::string(1, char(each.kind)) + " " + (each.from.empty() ? "" : each.from + " -> ") +
                        each.path);
    return lines;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the same state twice differs in nothing, and its files are not met") {
  const States states;
  std::uint64_t met = 0;
  TreeDiffOptions options;
  options.compared_files = [&](std::uint64_t files) { met = files; };
  CHECK(states.told(options).empty());
  CHECK(met == 0);
}

TEST_CASE("data that were written behind a file's back are told, as are those of a folder") {
  for (const auto& options : {Lines{}, Lines{"-b", "1024"}, Lines{"-O", "^extents,^64bit"}}) {
    const States states(options);
    std::uint64_t place = 0;
    {
      const auto device = block::open_device(states.folder / "from");
      const auto files = open_ext(*device);
      const auto extent = files->extent_at(find(*files, "/data/large").value(), 200'000, 1);
      place = extent->device_offset;
    }
    hrvm::test::write_at(states.folder / "to", place, std::string_view("y"));
    const auto changes = states.compare();
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].path == "/data/large");
    CHECK(changes[0].kind == TreeChangeKind::modified);
    CHECK((changes[0].differs == Differs{.content = true}));
    CHECK(changes[0].size_bytes == 300'000);
  }
}

TEST_CASE("names and records are compared: what came, went, moved, got another owner or target") {
  const States states;
  states.ask("unlink /etc/hosts");
  states.ask("ln /other/file /etc/hosts");
  states.ask("unlink /other/file");
  states.ask("set_inode_field /etc/fstab uid 5");
  states.ask("symlink /new to");
  states.ask("unlink /etc/link");
  states.ask("symlink /etc/link hosts");
  auto lines = states.told();
  std::ranges::sort(lines);
  CHECK(lines ==
        Lines{"+ /etc/link", "+ /new", "- /etc/hosts", "- /etc/link", "M /etc/fstab", "R /other/file -> /etc/hosts"});
}

TEST_CASE("a folder that was moved into what lay in it is told, with what changed in either") {
  const States states;
  // /data/deep/er becomes /er, /data becomes /er/data.
  states.ask("ln /data/deep/er /er");
  states.ask("unlink /data/deep/er");
  states.ask("ln /data /er/data");
  states.ask("unlink /data");
  states.ask("unlink /er/file");
  states.ask("set_inode_field /er/data/large mode 0100600");
  CHECK(states.told() ==
        Lines{"- /data/deep/er/file", "R /data/deep/er -> /er", "R /data -> /er/data", "M /er/data/large"});
}

TEST_CASE("what is no state of the same filesystem is compared by paths") {
  States states;
  std::filesystem::remove(states.folder / "to");
  states.folder.write("tree/etc/fstab", "two\n");
  states.folder.write("tree/new", "new\n");
  std::filesystem::remove(states.folder / "tree/other/file");
  output_of(
      {"mke2fs", "-F", "-q", "-t", "ext4", "-b", "1024", "-d", states.folder / "tree", states.folder / "to", "32M"});
  CHECK(states.told({.is_same_filesystem = false}) == Lines{"M /etc/fstab", "+ /new", "- /other/file"});
}

TEST_CASE("folders that lead to each other end in an error") {
  const States states;
  states.ask("ln /data /data/deep/er/again");
  CHECK(hrvm::test::error_of([&] { states.told(); }).kind() == ErrorKind::corrupt);
  CHECK(hrvm::test::error_of([&] { states.told({.is_same_filesystem = false}); }).kind() == ErrorKind::corrupt);
}

TEST_CASE("a change goes through a pipe and back, and nonsense does not") {
  const TreeChange change{.kind = TreeChangeKind::renamed,
                          .type = FileKind::regular,
                          .path = "/a\nb\xff",
                          .from = "/c",
                          .size_bytes = 5,
                          .differs = {.content = true, .owner = true, .links = true},
                          .problem = "why"};
  CHECK(tree_change_from_text(to_text(change)) == change);
  const auto text = to_text(change);
  for (std::size_t length = 0; length + 4 < text.size(); ++length)
    CHECK_THROWS_AS(tree_change_from_text(std::string_view(text).substr(0, length)), base::Error);
}

}  // namespace hrvm::fs::test
