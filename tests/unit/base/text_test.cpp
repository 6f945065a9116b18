#include <catch2/catch.hpp>

#include "hrvm/base/text.hpp"

using namespace hrvm::base;
using namespace std::string_literals;
using namespace std::string_view_literals;
using Fields = std::vector<std::string_view>;

TEST_CASE("trimming takes white space and NUL from both ends only") {
  CHECK(trim("\t a b \r\n") == "a b");
  CHECK(trim("QEMU HARDDISK  \0\0"sv) == "QEMU HARDDISK");
  CHECK(trim(" \n").empty());
}

TEST_CASE("splitting keeps empty fields, and an empty text is one of them") {
  CHECK(split("a,,b,", ',') == Fields{"a", "", "b", ""});
  CHECK(split("", ',') == Fields{""});
}

TEST_CASE("lines end with LF or CRLF, and the end of the last line starts no new one") {
  CHECK(lines("a\r\nb\n\nc") == Fields{"a", "b", "", "c"});
  CHECK(lines("a\n") == Fields{"a"});
  CHECK(lines("\n") == Fields{""});
  CHECK(lines("").empty());
}

TEST_CASE("joining puts the separator between the parts only") {
  CHECK(join({}, ", ").empty());
  CHECK(join({"a"}, ", ") == "a");
  CHECK(join({"a", "", "b"}, ", ") == "a, , b");
}

TEST_CASE("case is ignored for ASCII letters and for nothing else") {
  CHECK(lower("EFI-\xc3\x84") == "efi-\xc3\x84");
  CHECK(starts_with_ignoring_case("Linux LVM", "LINUX"));
  CHECK_FALSE(starts_with_ignoring_case("Lin", "Linux"));
  CHECK_FALSE(starts_with_ignoring_case("[x", "{x"));
}

TEST_CASE("an unsigned number is the whole text or none") {
  CHECK(parse_unsigned("18446744073709551615") == 18446744073709551615u);
  CHECK(parse_unsigned("ff", 16) == 255u);
  for (const auto text : {"", " 1", "1 ", "-1", "+1", "0x10", "18446744073709551616", "1.0"})
    CHECK_FALSE(parse_unsigned(text));
}

TEST_CASE("hexadecimal is lower case and padded") {
  CHECK(hex(0xAB, 4) == "00ab");
  CHECK(hex(0x12345, 2) == "12345");
}

TEST_CASE("UTF-16LE becomes UTF-8 up to the first NUL") {
  CHECK(from_utf16le("E\0F\0I\0\0\0x\0"sv) == "EFI");
  CHECK(from_utf16le("\xe4\x00\xac\x20"sv) == "ä€");
  CHECK(from_utf16le("\x3d\xd8\x00\xde"sv) == "😀");
  CHECK(from_utf16le("a\0b"sv) == "a");
  CHECK(to_utf16le("EFI") == "E\0F\0I\0"sv);
  CHECK(to_utf16le("ä€") == "\xe4\x00\xac\x20"sv);
  CHECK(to_utf16le("😀") == "\x3d\xd8\x00\xde"sv);
  CHECK(to_utf16le("a\xff") == "a\0\xfd\xff"sv);
}

TEST_CASE("an unpaired surrogate becomes U+FFFD and what follows it is kept") {
  CHECK(from_utf16le("\x3d\xd8"
                     "a\0"sv) ==
        "\xef\xbf\xbd"
        "a");
  CHECK(from_utf16le("\x00\xde"
                     "a\0"sv) ==
        "\xef\xbf\xbd"
        "a");
  CHECK(from_utf16le("\x3d\xd8"sv) == "\xef\xbf\xbd");
  CHECK(from_utf16le("\x3d\xd8\x3d\xd8\x00\xde"sv) == "\xef\xbf\xbd😀");
}

TEST_CASE("nothing that a terminal could act on survives being made printable") {
  CHECK(printable("\x1b[31mred\x07\n\x7f") == "\\x1b[31mred\\x07\\x0a\\x7f");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
  CHECK(printable("a\0b"sv) == "a\\x00b");
}

TEST_CASE("UTF-8 is printable as it is, and broken UTF-8 is shown byte by byte") {
  CHECK(printable("Grüße 漢 😀") == "Grüße 漢 😀");
  CHECK(printable("\xc3") == "\\xc3");
  CHECK(printable("\xc3(") == "\\xc3(");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  CHECK(printable("\xff\x80") == "\\xff\\x80");
}

TEST_CASE("shell quoting leaves plain words bare and makes everything else literal") {
  CHECK(shell_quote("/dev/disk/by-id/ata-X_1:0") == "/dev/disk/by-id/ata-X_1:0");
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("a b") == "'a b'");
  CHECK(shell_quote("it's $HOME") == "'it'\\''s $HOME'");
  CHECK(shell_quote("~") == "'~'");
  CHECK(shell_quote("a\033[2J'b\n\\") == "$'a\\033[2J\\'b\\012\\\\'");
  CHECK(shell_quote("größe") == "'größe'");
  CHECK(shell_quote("gr\xf6\xdf") == "$'gr\\366\\337'");
  CHECK(shell_quote({"qemu", "-name", "a b"}) == "qemu -name 'a b'");
}

TEST_CASE("edit distance counts insertions, deletions, substitutions and swaps as one") {
  CHECK(edit_distance("boot", "boot", 3) == 0);
  CHECK(edit_distance("boot", "boots", 3) == 1);
  CHECK(edit_distance("boot", "bot", 3) == 1);
  CHECK(edit_distance("boot", "boat", 3) == 1);
  CHECK(edit_distance("improt", "import", 3) == 1);
  CHECK(edit_distance("", "abc", 3) == 3);
  CHECK(edit_distance("kitten", "sitting", 3) == 3);
}

TEST_CASE("edit distance stops at its limit") {
  CHECK(edit_distance("abcdef", "uvwxyz", 2) == 3);
  CHECK(edit_distance("a", "abcdef", 2) == 3);
  CHECK(edit_distance(std::string(100000, 'a'), std::string(100000, 'b'), 1) == 2);
}

TEST_CASE("a slip is recognised, a different word is not") {
  const std::vector<std::string> commands{"discover", "import", "boot", "list", "snapshot"};
  CHECK(did_you_mean("discvoer", commands) == "discover"s);
  CHECK(did_you_mean("bot", commands) == "boot"s);
  CHECK_FALSE(did_you_mean("xyzzy", commands));
  CHECK_FALSE(did_you_mean("", commands));
  CHECK_FALSE(did_you_mean("boot", {}));
}

TEST_CASE("of several candidates the nearest is meant") {
  CHECK(did_you_mean("--memry", {"--memos", "--memory"}) == "--memory"s);
}

TEST_CASE("the beginning of a word is taken for the word") {
  CHECK(did_you_mean("snap", {"list", "snapshot"}) == "snapshot"s);
  CHECK_FALSE(did_you_mean("s", {"list", "snapshot"}));
}
