// What differs between stacks of folders, with the kernel's own overlayfs as what makes the layers. Needs root.
#include "hrvm/fs/folder_diff.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <string>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/overlay.hpp"
#include "support/failing.hpp"
#include "support/run_program.hpp"
#include "support/skipping.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::fs;
using Lines = std::vector<std::string>;

namespace {

struct Layered {
  Layered() {
    for (const char* name : {"base/etc/conf.d", "base/usr/bin", "base/var/log", "mnt"})
      std::filesystem::create_directories(folder / name);
    for (const char* name : {"etc/motd", "etc/conf.d/a", "etc/conf.d/b", "usr/bin/tool", "var/log/old"})
      std::ofstream(folder / ("base/" + std::string(name))) << name << '\n';
    std::filesystem::create_symlink("usr/bin", folder / "base/bin");
    stack = {folder / "base"};
  }

  // A layer on top of the stack, with what a shell does in it.
  Folders add(const std::string& name, const std::string& script) {
    const auto upper = folder / (name + ".upper"), work = folder / (name + ".work");
    std::filesystem::create_directories(upper);
    std::filesystem::create_directories(work);
    const sys::OverlayMount overlay{stack, upper, work, folder / "mnt"};
    sys::AtomicFile words(folder / "words");
    auto child = sys::spawn_in_overlay(
        *runner, {{"sh", "-c", "set -e; cd " + overlay.mount_point.string() + "; " + script}, {}, {}}, overlay,
        words.fd());
    REQUIRE(child.wait(std::chrono::seconds(30)) == 0);
    stack.insert(stack.begin(), upper);
    return stack;
  }

  static Lines difference(const Folders& from, const Folders& to) {
    const auto changes = changes_from_text(to_text(FolderComparison(from, to).changes([](std::uint64_t) {})));
    Lines lines;
    for (const auto& change : changes)
      lines.push_back(char(change.kind) + (" " + change.path) + (change.from.empty() ? "" : " <- " + change.from));
    return lines;
  }

  test::TemporaryDirectory folder;
  std::unique_ptr<sys::Runner> runner = sys::make_process_runner();
  Folders stack;
  Folders base{folder / "base"};
};

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE_METHOD(Layered,
                 "what was added, removed and modified since the base is told, sorted, and the other way round") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one",
                       "echo more >> etc/motd; rm etc/conf.d/a; mkdir -p new/deep; echo 1 > new/deep/1; "
                       "rm -r var; chmod 700 usr; ln -sfn /etc bin; mkfifo pipe");
  CHECK(difference(base, one) == Lines{"M /bin", "- /etc/conf.d/a", "M /etc/motd", "+ /new", "+ /new/deep",
                                       "+ /new/deep/1", "+ /pipe", "M /usr", "- /var", "- /var/log", "- /var/log/old"});
  CHECK(difference(one, base) == Lines{"M /bin", "+ /etc/conf.d/a", "M /etc/motd", "- /new", "- /new/deep",
                                       "- /new/deep/1", "- /pipe", "M /usr", "+ /var", "+ /var/log", "+ /var/log/old"});
  CHECK(difference(one, one).empty());
}

TEST_CASE_METHOD(Layered, "what was copied up and is what it was is not modified, and times alone change nothing") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one",
                       "touch etc/motd var/log; chmod 600 usr/bin/tool; chmod 644 usr/bin/tool; "
                       "echo x > etc/x; rm etc/x; rm etc/conf.d/a; echo etc/conf.d/a > etc/conf.d/a");
  CHECK(difference(base, one).empty());
}

TEST_CASE_METHOD(Layered, "bytes of the same length, modes, owners and attributes each make a file a modified one") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one", "printf 'ETC/motd\n' > etc/motd; chmod 600 etc/conf.d/a; chown 7 etc/conf.d/b");
  CHECK(difference(base, one) == Lines{"M /etc/conf.d/a", "M /etc/conf.d/b", "M /etc/motd"});
  REQUIRE_FALSE(test::run_program({"sh", "-c", "command -v setfattr || true"}).empty());
  stack = base;
  CHECK(difference(base, add("two", "setfattr -n user.x -v 1 usr/bin/tool")) == Lines{"M /usr/bin/tool"});
}

TEST_CASE_METHOD(Layered, "a folder made anew hides all that was in it, and what it holds again did not change") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one", "rm -r etc; mkdir etc; echo etc/motd > etc/motd; echo x > etc/new");
  REQUIRE(sys::is_opaque(stack.front() / "etc"));
  CHECK(difference(base, one) == Lines{"- /etc/conf.d", "- /etc/conf.d/a", "- /etc/conf.d/b", "+ /etc/new"});
}

TEST_CASE_METHOD(Layered, "what became another kind of file is gone, and came") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one", "rm -r var; echo file > var; rm etc/motd; mkdir etc/motd; echo in > etc/motd/in");
  CHECK(difference(base, one) ==
        Lines{"- /etc/motd", "+ /etc/motd", "+ /etc/motd/in", "- /var", "+ /var", "- /var/log", "- /var/log/old"});
}

TEST_CASE_METHOD(Layered, "a file of the base that was moved is told as renamed, one that was copied is not") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one", "mv etc/motd etc/issue; cp usr/bin/tool usr/bin/copy; rm usr/bin/tool");
  CHECK(difference(base, one) == Lines{"R /etc/issue <- /etc/motd", "+ /usr/bin/copy", "- /usr/bin/tool"});
}

TEST_CASE_METHOD(Layered, "states on one another and beside each other are compared by what they show") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one", "echo 1 > etc/one; rm etc/motd; mkdir opt; echo 1 > opt/1");
  const auto two = add("two", "echo 2 > etc/two; echo back > etc/motd; rm -r opt; echo one > etc/one");
  stack = one;
  const auto sibling = add("three", "rm etc/one; rm -r opt; mkdir opt; echo 3 > opt/3");
  CHECK(difference(one, two) == Lines{"+ /etc/motd", "M /etc/one", "+ /etc/two", "- /opt", "- /opt/1"});
  CHECK(difference(two, sibling) == Lines{"- /etc/motd", "- /etc/one", "- /etc/two", "+ /opt", "+ /opt/3"});
  CHECK(difference(base, two) == Lines{"M /etc/motd", "+ /etc/one", "+ /etc/two"});
}

TEST_CASE_METHOD(Layered, "names are whatever bytes a guest makes them of") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto one = add("one", "touch \"$(printf 'a\\nb\\tc\\377')\"");
  CHECK(difference(base, one) == Lines{"+ /a\nb\tc\377"});
}

TEST_CASE_METHOD(Layered, "links in a layer are told, and never followed") {
  const auto upper = folder / "hostile";
  std::filesystem::create_directories(upper);
  std::filesystem::create_symlink("/", upper / "etc");
  std::filesystem::create_symlink("loop", upper / "loop");
  CHECK(difference(base, {upper, base.front()}) ==
        Lines{"- /etc", "+ /etc", "- /etc/conf.d", "- /etc/conf.d/a", "- /etc/conf.d/b", "- /etc/motd", "+ /loop"});
}

TEST_CASE_METHOD(Layered, "folders within folders without end are an error that says where") {
  const auto upper = folder / "hostile";
  std::filesystem::create_directories(upper);
  sys::Fd at(::open(upper.c_str(), O_PATH));
  for (unsigned depth = 0; depth < deepest_folder + 10; ++depth) {
    REQUIRE(::mkdirat(at.get(), "d", 0700) == 0);
    at = sys::Fd(::openat(at.get(), "d", O_PATH));
  }
  const auto error = test::error_of([&] { difference(base, {upper, base.front()}); });
  CHECK(error.kind() == base::ErrorKind::unsupported);
  CHECK_THAT(error.message(), Catch::Contains("/d/d/d"));
}

TEST_CASE("a text that is no list of changes is refused") {
  CHECK(changes_from_text("").empty());
  for (const char* text : {"x", "+", "-1-"}) CHECK_THROWS_AS(changes_from_text(text), base::Error);
  CHECK_THROWS_AS(changes_from_text(std::string("?\0"
                                                "1\0/a\0\0\0",
                                                9)),
                  base::Error);
  CHECK_THROWS_AS(changes_from_text(std::string("+\0"
                                                "99\0/a\0\0\0",
                                                10)),
                  base::Error);
}
