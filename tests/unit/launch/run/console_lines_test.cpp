#include <catch2/catch.hpp>

#include "launch/run/console_lines.hpp"

using hrvm::launch::ConsoleLines;
using Lines = std::vector<std::string>;

TEST_CASE("lines end at a line feed, a carriage return, or both") {
  ConsoleLines console;
  CHECK(console.feed("one\r\ntwo\nthree\rfo") == Lines{"one", "two", "three"});
  CHECK(console.unfinished() == "fo");
  CHECK(console.feed("ur\n\n\n") == Lines{"four"});
  CHECK(console.unfinished().empty());
}

TEST_CASE("escape sequences are not text, wherever they are cut") {
  const std::string text =
      "\x1b[1;32mgreen\x1b[0m \x1b]0;a title\x07plain\x1bP1$r\x1b\\ \x1b"
      "cend\tof\x07 it\n";
  const Lines expected{"green plain end\tof it"};
  CHECK(ConsoleLines().feed(text) == expected);
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    ConsoleLines console;
    auto lines = console.feed(text.substr(0, cut));
    const auto rest = console.feed(text.substr(cut));
    lines.insert(lines.end(), rest.begin(), rest.end());
    CHECK(lines == expected);
  }
}

TEST_CASE("a cursor that is put elsewhere starts a new line, as firmware draws its screens") {
  CHECK(ConsoleLines().feed("BdsDxe: loading\x1b[02;01HBdsDxe: starting\x1b[2J") ==
        Lines{"BdsDxe: loading", "BdsDxe: starting"});
}

TEST_CASE("a sequence that never ends swallows no line but its own") {
  CHECK(ConsoleLines().feed("\x1b]0;never\nnext\n\x1b[\nlast\n") == Lines{"next", "last"});
}

TEST_CASE("a line is cut at 4 KiB, and the next one is whole") {
  ConsoleLines console;
  const auto lines = console.feed(std::string(1 << 20, 'x') + "\nnext\n");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == std::string(4096, 'x'));
  CHECK(lines[1] == "next");
}

TEST_CASE("text that is no ASCII stays as it is") { CHECK(ConsoleLines().feed("Grüße\n") == Lines{"Grüße"}); }
