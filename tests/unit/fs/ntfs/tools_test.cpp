// A whole NTFS against what ntfsls, ntfsinfo and ntfscat tell of it, which read it by themselves.
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/walk.hpp"
#include "unit/fs/extents.hpp"
#include "unit/fs/ntfs/ntfs_image.hpp"

namespace hrvm::fs::test {
namespace {

using Numbers = std::map<std::string, std::uint64_t>;  // of records, by path

std::uint64_t number_after(const std::string& text, std::string_view words) {
  const auto at = text.find(words);
  REQUIRE(at != text.npos);
  return std::stoull(text.substr(at + words.size()));
}

// ntfsls has the metafiles of the root too, and the folders that lead back.
Numbers listed_by_ntfsls(const Path& image) {
  Numbers records;
  std::string folder;
  const auto said = output_of({"ntfsls", "-f", "-R", "-a", "-s", "-i", image});
  for (const auto line : base::split(said, '\n')) {
    if (line.starts_with('/')) folder = line.substr(0, line.rfind(':')) == "/" ? "" : line.substr(0, line.rfind(':'));
    if (!line.starts_with(' ')) continue;
    const auto number = line.find_first_not_of(' '), name = line.find(' ', number) + 1;
    const auto path = folder + "/" + std::string(line.substr(name));
    if (!path.starts_with("/$") && !path.ends_with("/.") && !path.ends_with("/.."))
      records.emplace(path, std::stoull(std::string(line.substr(number))));
  }
  return records;
}

struct Walked : WalkVisitor {
  WalkStep enter(const WalkedFile& file) override {
    if (file.depth > 0) nodes.emplace(file.path, file.stat);
    return WalkStep::go_on;
  }
  std::map<std::string, Stat> nodes;
};

void compare(FileSystem& files, const Stat& stat, const Path& image) {
  const auto record = std::to_string(stat.node.id);
  const auto said = output_of({"ntfsinfo", "-f", "-i", record, image});
  CHECK(stat.node.generation == number_after(said, "MFT Record Seq. Numb.:"));
  CHECK(stat.links == number_after(said, "Number of Hard Links:"));
  CHECK((stat.kind == FileKind::directory) == (said.find("DIRECTORY") != said.npos));
  if (stat.kind != FileKind::regular) return;
  const auto data = said.substr(said.find("Dumping attribute $DATA"));
  CHECK(stat.size_bytes == number_after(data, "Data size:"));
  const auto bytes = bytes_of(files, stat.node, 0, stat.size_bytes);
  const auto shown = output_of({"ntfscat", "-f", "-i", record, image});
  REQUIRE((std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == shown));
}

}  // namespace

TEST_CASE("every file of an NTFS is what ntfsls, ntfsinfo and ntfscat tell of it") {
  for (const auto& options : std::vector<std::vector<std::string>>{{}, {"-c", "512"}, {"-c", "65536"}}) {
    CAPTURE(options);
    Made made;
    make_ntfs(made.image(), 40 * base::MiB, options);
    {
      NtfsWriter writer(made.image());
      writer.folder("Windows");
      writer.folder("Windows/Größe");
      writer.file("Windows/Größe/日本", long_text(700'000));
      writer.file("Windows/small", "resident");
      writer.file("Windows/empty", "");
      writer.link("Windows/small", "second");
      writer.stream("Windows/small", "stream", long_text(5000));
      writer.file("sparse", "end", 600'000);
      writer.file("removed", "gone");
      writer.remove("removed");
      writer.file("reused", "of a record's second file");
      writer.grow("Windows/empty", 100'000);
      writer.folder("packed", true);
      if (options != std::vector<std::string>{"-c", "65536"}) writer.file("packed/text", long_text(300'000));
      writer.folder("many");
      writer.many("many", 1000);
    }
    auto& files = made.open();
    Walked walked;
    CHECK(walk(files, files.root(), walked));
    Numbers records;
    for (const auto& [path, stat] : walked.nodes) {
      records.emplace(path, stat.node.id);
      CAPTURE(path);
      if (!path.starts_with("/many/") || path.ends_with("77")) compare(files, stat, made.image());
    }
    CHECK((records == listed_by_ntfsls(made.image())));
    CHECK(records.size() > 1008);
    const auto stream = output_of({"ntfscat", "-f", "-n", "stream", made.image(), "Windows/small"});
    std::string bytes(5000, '\0');
    CHECK(files.read_stream(find(files, "/second").value(), "stream", 0, std::as_writable_bytes(std::span(bytes))) ==
          5000);
    CHECK((bytes == stream));
  }
}

}  // namespace hrvm::fs::test
