#include "hrvm/launch/console_log.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/sys/files.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using base::KiB;
using base::MiB;

namespace {

struct Store {
  Store() {
    machine.name = "web";
    machine.folder = folder / "web";
  }
  machine::Path log(int number) const { return machine.consoles_folder() / (std::to_string(number) + ".log"); }
  std::vector<std::string> names() const { return sys::list_directory(machine.consoles_folder()); }

  test::TemporaryDirectory folder;
  machine::Machine machine;
};

void append(const machine::Path& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

std::string all_of(const machine::Path& path) {
  ConsoleReader reader(path, false);
  std::string all;
  while (const auto bytes = reader.read()) all += *bytes;
  return all;
}

// A byte at a time, as a slow line brings it.
std::string drip(ConsoleText& text, std::string_view bytes) {
  std::string all;
  for (const char byte : bytes) {
    all += text.feed({&byte, 1});
    all += text.unfinished();
  }
  return all;
}

}  // namespace

TEST_CASE_METHOD(Store, "the files of runs are counted on from the newest, and only their owner reads them") {
  CHECK(next_console_log(machine) == log(1));
  const auto first = make_console_log(log(1));
  CHECK(sys::status(log(1)).mode == 0600);
  CHECK(sys::status(machine.consoles_folder()).mode == 0700);
  folder.write("web/consoles/9.log", "");
  folder.write("web/consoles/10.log", "");
  folder.write("web/consoles/011.log", "");
  folder.write("web/consoles/12.log.old", "");
  CHECK(next_console_log(machine) == log(11));
}

TEST_CASE_METHOD(Store, "the newest runs stay, and any that lasts") {
  std::vector<sys::Lock> lasting;
  for (int number = 1; number <= 12; ++number) {
    auto lock = make_console_log(next_console_log(machine));
    if (number == 2) lasting.push_back(std::move(lock));
  }
  folder.write("web/consoles/a person's note", "");
  CHECK(names() == std::vector<std::string>{"10.log", "11.log", "12.log", "2.log", "5.log", "6.log", "7.log", "8.log",
                                            "9.log", "a person's note"});
  lasting.clear();
  make_console_log(next_console_log(machine));
  CHECK_FALSE(std::filesystem::exists(log(2)));
  CHECK_FALSE(std::filesystem::exists(log(5)));
  CHECK(names().size() == console_logs_kept + 1);
}

TEST_CASE_METHOD(Store, "runs are listed from the oldest on, one beside a throw-away layer elsewhere last") {
  test::TestHost host;
  host.host().uid = 1000;
  host.host().environment["XDG_RUNTIME_DIR"] = folder / "run";
  for (const auto* name : {"2.log", "10.log", "9.log"}) folder.write(std::string("web/consoles/") + name, "");
  CHECK(console_logs(host.host(), machine) == std::vector{log(2), log(9), log(10)});
  const auto run = machine::run_folder(host.host(), machine.definition);
  note_scratch(run / "0123456789abcdef", folder / "scratch");
  CHECK(console_logs(host.host(), machine).size() == 3);
  const auto beside = folder.write("scratch/console.log", "");
  CHECK(console_logs(host.host(), machine) == std::vector{log(2), log(9), log(10), beside});
}

TEST_CASE_METHOD(Store, "a run that did not come to be leaves no file, one that printed does") {
  { const auto lock = make_console_log(log(1)); }
  remove_empty_console_log(log(1));
  CHECK(names().empty());
  folder.write("web/consoles/1.log", "x");
  remove_empty_console_log(log(1));
  CHECK(names().size() == 1);
}

TEST_CASE_METHOD(Store, "a log is bounded however much is printed, and begins with a whole line then") {
  const auto lock = make_console_log(log(1));
  ConsoleBound bound(log(1));
  std::uint64_t most = 0;
  std::string lines;
  for (int i = 0; i < 10'000; ++i)
    lines += "a line of output, which is of some length " + std::to_string(i % 10) + "\n";
  for (int turn = 0; turn < 20; ++turn) {
    append(log(1), lines);
    bound.look();
    most = std::max(most, sys::status(log(1)).allocated_bytes);
  }
  append(log(1), "the last line\n");
  CHECK(sys::status(log(1)).size_bytes > 8 * MiB);
  CHECK(most < ConsoleBound::most_bytes + 256 * KiB);
  ConsoleReader reader(log(1), false);
  CHECK(reader.lacks_beginning());
  const auto text = all_of(log(1));
  CHECK(text.size() >= ConsoleBound::kept_bytes - KiB);
  CHECK(text.starts_with("a line of output"));
  CHECK(text.ends_with("\nthe last line\n"));
  CHECK(text.find('\0') == text.npos);
}

TEST_CASE_METHOD(Store, "a log that was never too long is read from its first byte") {
  folder.write("web/consoles/1.log", "one\r\ntwo");
  ConsoleReader reader(log(1), false);
  CHECK_FALSE(reader.lacks_beginning());
  CHECK(reader.read() == "one\r\ntwo");
  append(log(1), "three");
  CHECK_FALSE(reader.read());
}

TEST_CASE_METHOD(Store, "who follows reads on, and sees when the run has ended") {
  std::optional<sys::Lock> run = make_console_log(log(1));
  ConsoleReader reader(log(1), true);
  CHECK(reader.run_lasts());
  CHECK_FALSE(reader.read());
  append(log(1), "more");
  CHECK(reader.read() == "more");
  INFO("a file that was emptied begins again");
  std::filesystem::resize_file(log(1), 0);
  append(log(1), "new");
  CHECK(reader.read() == "new");
  run.reset();
  CHECK_FALSE(reader.run_lasts());
  std::filesystem::remove(log(1));
  CHECK_FALSE(reader.run_lasts());
}

TEST_CASE("text for a terminal has lines, and nothing that commands it") {
  ConsoleText text;
  CHECK(text.feed("\x1b[2J\x1b[1;31mred\x1b[0m\r\n\x1b]0;title\x07"
                  "bad \xff byte\x9b"
                  "2J\n\x1bPq\x1b\\login: ") == "red\nbad \\xff byte\\x9b2J\n");
  CHECK(text.unfinished() == "login: ");
  CHECK(text.is_in_line());
  CHECK(text.unfinished().empty());
  CHECK(text.feed("root\r\n") == "root\n");
  CHECK_FALSE(text.is_in_line());
}

TEST_CASE("text that comes byte by byte is the same, and no character is cut in two") {
  const std::string bytes = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7\r\n\x1b[31mred\x1b[0m $ ";
  ConsoleText text;
  CHECK(drip(text, bytes) == "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7\nred $ ");
  ConsoleText broken;
  CHECK(drip(broken, "a\xe2\x82\nb\xc3") == "a\\xe2\\x82\nb");
}
