#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::ErrorKind;
using test::kind_of;
using test::TemporaryDirectory;
using Names = std::vector<std::string>;
using namespace std::string_literals;

TEST_CASE("a file is read whole up to its limit, and more than that is corrupt") {
  const TemporaryDirectory folder;
  const std::string text(200000, 'x');
  const auto path = folder.write("file", text);
  CHECK(sys::read_file(path) == text);
  CHECK(sys::read_file(path, 200000) == text);
  CHECK(kind_of([&] { sys::read_file(path, 199999); }) == ErrorKind::corrupt);
  CHECK(sys::read_file(folder.write("empty", ""), 0).empty());
}

TEST_CASE("a missing file and a folder cannot be read, and trying tells absence") {
  const TemporaryDirectory folder;
  CHECK(kind_of([&] { sys::read_file(folder / "none"); }) == ErrorKind::not_found);
  CHECK_THROWS_AS(sys::read_file(folder.path()), base::Error);
  CHECK_FALSE(sys::try_read_file(folder / "none"));
  CHECK_FALSE(sys::try_read_file(folder.path()));
  CHECK_FALSE(sys::try_read_file(folder.write("large", "xxxx"), 3));
}

TEST_CASE("reading a FIFO does not wait for somebody to write") {
  const TemporaryDirectory folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(sys::read_file(folder / "fifo").empty());
}

TEST_CASE("an attribute is the first line without white space, and an empty one is absent") {
  const TemporaryDirectory folder;
  CHECK(sys::try_read_line(folder.write("model", "  CT500MX500SSD1  \nmore\n")) == "CT500MX500SSD1"s);
  CHECK_FALSE(sys::try_read_line(folder.write("empty", "\n")));
  CHECK_FALSE(sys::try_read_line(folder / "none"));
  CHECK(sys::try_read_number(folder.write("size", "500118192\n")) == 500118192u);
  CHECK(sys::try_read_number(folder.write("flags", "1f\n"), 16) == 0x1fu);
  CHECK_FALSE(sys::try_read_number(folder.write("word", "12 x\n")));
}

TEST_CASE("a file's status tells its type, and links are followed or not as asked") {
  const TemporaryDirectory folder;
  const auto file = folder.write("file", "12345");
  const auto link = folder.link("link", "file");
  CHECK(sys::status(file).type == sys::FileType::regular);
  CHECK(sys::status(file).size_bytes == 5);
  CHECK(sys::status(folder.path()).type == sys::FileType::directory);
  CHECK(sys::status(link).type == sys::FileType::regular);
  CHECK(sys::status(link).inode == sys::status(file).inode);
  CHECK(sys::link_status(link).type == sys::FileType::symlink);
  CHECK(sys::status("/dev/null").type == sys::FileType::character);
  CHECK(sys::read_link(link) == sys::Path("file"));
  CHECK_FALSE(sys::read_link(file));
}

TEST_CASE("what is not there is missing, not an error") {
  const TemporaryDirectory folder;
  folder.write("file", "");
  CHECK(sys::status(folder / "none").type == sys::FileType::missing);
  CHECK(sys::status(folder / "file/below").type == sys::FileType::missing);
  CHECK(sys::status(folder.link("dangling", "none")).type == sys::FileType::missing);
  CHECK(sys::link_status(folder / "dangling").type == sys::FileType::symlink);
}

TEST_CASE("a sparse file says how little it takes") {
  const TemporaryDirectory folder;
  std::filesystem::resize_file(folder.write("sparse", ""), 1 << 30);
  CHECK(sys::status(folder / "sparse").size_bytes == 1 << 30);
  CHECK(sys::status(folder / "sparse").allocated_bytes < 1 << 20);
}

TEST_CASE("an absolute path keeps links, and loses dots where that changes nothing") {
  const TemporaryDirectory folder;
  folder.write("a/b/file", "");
  folder.link("link", "a/b");
  const std::string here = folder.path();
  CHECK(sys::absolute(here + "/a/./b//../b/file") == here + "/a/b/file");
  CHECK(sys::absolute(here + "/link/file") == here + "/link/file");
  CHECK(sys::absolute(here + "/a/b/") == here + "/a/b");
  CHECK(sys::absolute("/../x") == "/x");
  CHECK(sys::absolute("x") == std::filesystem::current_path() / "x");
}

TEST_CASE("an absolute path behind a link leads where the kernel would go") {
  const TemporaryDirectory folder;
  folder.write("a/b/file", "");
  folder.write("a/other", "right");
  folder.write("other", "wrong");
  folder.link("link", "a/b");
  const std::string here = folder.path();
  CHECK(sys::read_file(sys::absolute(here + "/link/../other")) == "right");
  CHECK(sys::read_file(sys::absolute(here + "/link/../../other")) == "wrong");
}

TEST_CASE("a canonical path has its links resolved and must be there") {
  const TemporaryDirectory folder;
  folder.write("a/file", "");
  folder.link("link", "a/file");
  CHECK(sys::canonical(folder / "link") == sys::canonical(folder.path()) / "a/file");
  CHECK(kind_of([&] { sys::canonical(folder / "none"); }) == ErrorKind::not_found);
}

TEST_CASE("a folder lists its names in order, and a missing one has none") {
  const TemporaryDirectory folder;
  for (const auto name : {"b", ".hidden", "a"}) folder.write(name, "");
  CHECK(sys::list_directory(folder.path()) == Names{".hidden", "a", "b"});
  CHECK(sys::list_directory(folder / "none").empty());
  CHECK_THROWS_AS(sys::list_directory(folder / "a"), base::Error);
}

TEST_CASE("folders are made with all that lead to them, and being there is fine") {
  const TemporaryDirectory folder;
  sys::make_directories(folder / "a/b/c", 0700);
  CHECK(sys::status(folder / "a").mode == 0700);
  CHECK(sys::status(folder / "a/b/c").mode == 0700);
  CHECK_NOTHROW(sys::make_directories(folder / "a/b/c/"));
  folder.write("file", "");
  CHECK(kind_of([&] { sys::make_directories(folder / "file"); }) == ErrorKind::exists);
  CHECK_THROWS_AS(sys::make_directories(folder / "file/below"), base::Error);
}

TEST_CASE("a rename replaces, or refuses to when told so and leaves both") {
  const TemporaryDirectory folder;
  folder.write("new", "new");
  folder.write("old", "old");
  CHECK(kind_of([&] { sys::rename_durably(folder / "new", folder / "old", true); }) == ErrorKind::exists);
  CHECK(sys::read_file(folder / "new") == "new");
  CHECK(sys::read_file(folder / "old") == "old");
  sys::rename_durably(folder / "new", folder / "old");
  CHECK(folder.names() == Names{"old"});
  CHECK(sys::read_file(folder / "old") == "new");
  sys::rename_durably(folder / "old", folder / "free", true);
  CHECK(folder.names() == Names{"free"});
  CHECK(kind_of([&] { sys::rename_durably(folder / "none", folder / "x"); }) == ErrorKind::not_found);
}

TEST_CASE("a link is switched by one rename and nothing is left beside it") {
  const TemporaryDirectory folder;
  sys::switch_link(folder / "current", "generations/1.json");
  CHECK(sys::read_link(folder / "current") == sys::Path("generations/1.json"));
  sys::switch_link(folder / "current", "generations/2.json");
  CHECK(sys::read_link(folder / "current") == sys::Path("generations/2.json"));
  CHECK(folder.names() == Names{"current"});
}

TEST_CASE("a link that cannot be switched stays, and nothing is left beside it") {
  const TemporaryDirectory folder;
  folder.write("current/file", "a folder in the way");
  CHECK_THROWS_AS(sys::switch_link(folder / "current", "x"), base::Error);
  CHECK(folder.names() == Names{"current"});
}

TEST_CASE("removing takes a tree away without following its links, and absence counts as done") {
  const TemporaryDirectory folder;
  folder.write("kept/file", "");
  folder.write("tree/a/b", "");
  folder.link("tree/link", "../kept");
  sys::remove_all(folder / "tree");
  CHECK(folder.names() == Names{"kept"});
  CHECK(sys::list_directory(folder / "kept") == Names{"file"});
  CHECK_NOTHROW(sys::remove_all(folder / "tree"));
}

TEST_CASE("a folder from which others remove as well is removed all the same") {
  const TemporaryDirectory folder;
  for (int turn = 0; turn < 20; ++turn) {
    for (int file = 0; file < 100; ++file) folder.write("tree/" + std::to_string(file), "");
    std::thread other([&] {
      for (int file = 0; file < 100; ++file) std::filesystem::remove(folder / ("tree/" + std::to_string(file)));
    });
    CHECK_NOTHROW(sys::remove_all(folder / "tree"));
    other.join();
    CHECK(folder.names().empty());
  }
}

TEST_CASE("an atomic file that is not committed leaves nothing") {
  const TemporaryDirectory folder;
  {
    sys::AtomicFile file(folder / "final");
    file.write("half");
    for (const auto& name : folder.names()) CHECK(name.starts_with(".final."));  // where it must have one
    CHECK(folder.names().size() <= 1);
  }
  CHECK(folder.names().empty());
}

TEST_CASE("an atomic file appears whole, with its mode, when it is committed") {
  const TemporaryDirectory folder;
  folder.write("final", "old");
  sys::AtomicFile file(folder / "final", 0640);
  file.write("new ");
  file.write("text");
  CHECK(sys::read_file(folder / "final") == "old");
  file.commit();
  CHECK(sys::read_file(folder / "final") == "new text");
  CHECK(sys::status(folder / "final").mode == 0640);
  CHECK(folder.names() == Names{"final"});
}

TEST_CASE("an atomic file can refuse to replace, and then leaves nothing") {
  const TemporaryDirectory folder;
  folder.write("final", "old");
  {
    sys::AtomicFile file(folder / "final");
    file.write("new");
    CHECK(kind_of([&] { file.commit(true); }) == ErrorKind::exists);
  }
  CHECK(sys::read_file(folder / "final") == "old");
  CHECK(folder.names() == Names{"final"});
}

TEST_CASE("bytes are written at their offset") {
  const TemporaryDirectory folder;
  sys::AtomicFile file(folder / "final");
  const std::string text = "abc";
  sys::write_fully(file.fd(), std::as_bytes(std::span(text)), 5, folder / "final");
  sys::sync_file(file.fd(), folder / "final");
  file.commit();
  CHECK(sys::read_file(folder / "final") == "\0\0\0\0\0abc"s);
}

TEST_CASE("a full medium is an I/O error at an offset, with advice") {
  const sys::Fd full = sys::open_file("/dev/full", 1);
  const std::string text = "abc";
  const base::Error error =
      test::error_of([&] { sys::write_fully(full.get(), std::as_bytes(std::span(text)), 7, "image"); });
  CHECK(error.kind() == ErrorKind::io);
  CHECK(error.path() == "image");
  CHECK(error.offset() == 7u);
  CHECK_FALSE(error.hint().empty());
}

TEST_CASE("a descriptor belongs to one Fd, closes with it, and no child gets it") {
  sys::Fd first = sys::open_file("/dev/null", 0);
  const int number = first.get();
  const auto is_open = [&] {
    return sys::link_status("/proc/self/fd/" + std::to_string(number)).type != sys::FileType::missing;
  };
  CHECK(sys::read_file("/proc/self/fdinfo/" + std::to_string(number)).find("02") != std::string::npos);
  sys::Fd second = std::move(first);
  CHECK_FALSE(first);
  CHECK(second.get() == number);
  CHECK(is_open());
  second.reset();
  CHECK_FALSE(is_open());
}

TEST_CASE("a file that is opened for update is read and changed in place, and is never made") {
  const TemporaryDirectory folder;
  const auto path = folder.write("file", "abc");
  const std::string text = "X";
  sys::write_fully(sys::open_for_update(path).get(), std::as_bytes(std::span(text)), 1, path);
  CHECK(sys::read_file(path) == "aXc");
  CHECK(kind_of([&] { sys::open_for_update(folder / "none"); }) == ErrorKind::not_found);
}

TEST_CASE("a file in memory has its size and takes nothing until it is written") {
  const sys::Fd fd = sys::memory_file("view", std::uint64_t{1} << 40);
  const sys::FileStatus status = sys::status("/proc/self/fd/" + std::to_string(fd.get()));
  CHECK(status.size_bytes == std::uint64_t{1} << 40);
  CHECK(status.allocated_bytes == 0);
}

TEST_CASE("private folders are made for their owner alone, and not in one of somebody else's") {
  const test::TemporaryDirectory folder;
  sys::make_private_directories(folder / "a/b");
  CHECK(sys::status(folder / "a").mode == 0700);
  CHECK(sys::is_own_folder(folder / "a/b"));
  sys::switch_link(folder / "link", folder / "a");
  CHECK_FALSE(sys::is_own_folder(folder / "link"));
  CHECK_FALSE(sys::is_own_folder(folder / "none"));
  if (::geteuid() != 0) {
    WARN("needs root, who can give a folder away");
    return;
  }
  REQUIRE(::chown((folder / "a").c_str(), 1, 1) == 0);
  CHECK_FALSE(sys::is_own_folder(folder / "a"));
  CHECK(test::kind_of([&] { sys::make_private_directories(folder / "a/c"); }) == base::ErrorKind::permission);
}

TEST_CASE("a file that is written leaves nothing behind when its writer is killed") {
  const TemporaryDirectory folder;
  const sys::Fd probe(::open(folder.path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!probe) {
    WARN("this filesystem has no files without a name");
    return;
  }
  const pid_t writer = ::fork();
  if (writer == 0) {
    sys::AtomicFile file(folder / "final");
    file.write("half");
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(writer, &status, 0) == writer);
  CHECK(WIFSIGNALED(status));
  CHECK(sys::list_directory(folder.path()).empty());
}
