// Hives that libhivex has filled, read by us; libhivex is the oracle.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/registry/hive.hpp"
#include "support/failing.hpp"
#include "support/memory_files.hpp"
#include "support/registry_hive.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace hrvm::probe {
namespace {

using base::ErrorKind;
using Names = std::vector<std::string>;

struct Opened {
  test::MemoryFiles files;
  Hive hive;
  explicit Opened(const std::string& bytes) : files({{"/hive", bytes}}), hive(files, "/hive") {}
};

// A number of 32 bits put into a hive's bytes.
std::string patched(std::string bytes, std::size_t offset, std::uint32_t number) {
  const base::le32 value = number;
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

const std::string& sample() {
  static const std::string bytes = test::hive_bytes(R"([\Microsoft\Windows NT\CurrentVersion]
"ProductName"="Windows 10 Pro"
"Wide"=hex(1):67,00,72,00,f6,00,df,00,e5,65,00,00
"Path"=hex(2):25,00,41,00,25,00,00,00
"UBR"=dword:00000bbf
"Big"=hex(5):00,00,0b,bf
"Multi"=hex(7):61,00,00,00,62,00,62,00,00,00,00,00
"Short"=hex:01,02,03
"Nothing"=hex:
@="default"

[\Microsoft\日本]
"x"=dword:00000001

[\Select]
"Current"=dword:00000002
)");
  return bytes;
}

std::uint32_t number_at(const std::string& bytes, std::size_t offset) {
  return base::load<base::le32>(std::as_bytes(std::span(bytes)), offset);
}

// Where a cell with this signature lies in the file, at its size.
std::size_t cell_at(const std::string& bytes, std::string_view signature, std::size_t from = 4096 + 32) {
  return bytes.find(signature, from) - 4;
}

}  // namespace

TEST_CASE("values of every type are read as they were put into the hive") {
  Opened opened(sample());
  Hive& hive = opened.hive;
  CHECK_FALSE(hive.is_dirty());
  const auto key = hive.find("Microsoft\\Windows NT\\CurrentVersion");
  REQUIRE(key);
  CHECK(hive.value(*key, "ProductName")->text() == "Windows 10 Pro");
  CHECK(hive.value(*key, "Wide")->text() == "größ日");
  CHECK(hive.value(*key, "Path")->text() == "%A%");
  CHECK(hive.value(*key, "UBR")->number() == 3007u);
  CHECK(hive.value(*key, "Big")->number() == 3007u);
  CHECK(hive.value(*key, "Multi")->texts() == Names{"a", "bb"});
  CHECK(hive.value(*key, "Short")->data == "\x01\x02\x03");
  CHECK(hive.value(*key, "Nothing")->data.empty());
  CHECK(hive.value("Select", "Current")->number() == 2u);
  CHECK_FALSE(hive.value(*key, "ProductName")->number());
  CHECK_FALSE(hive.value(*key, "UBR")->text());
  CHECK_FALSE(hive.value(*key, "Missing"));
}

TEST_CASE("keys and values are found in any case, and their names told as they were given") {
  Opened opened(sample());
  CHECK(opened.hive.value("MICROSOFT\\windows nt\\currentVERSION", "productname")->text() == "Windows 10 Pro");
  CHECK(opened.hive.find("Microsoft\\日本"));
  CHECK(opened.hive.subkeys(*opened.hive.find("")) == Names{"Microsoft", "Select"});
  CHECK(opened.hive.subkeys(*opened.hive.find("Microsoft")) == Names{"Windows NT", "日本"});
  CHECK_FALSE(opened.hive.find("Microsoft\\Windows"));
  CHECK_FALSE(opened.hive.find("Microsoft\\Windows NT\\CurrentVersion\\More"));
  CHECK_FALSE(opened.hive.value("Nowhere", "x"));
}

TEST_CASE("of a large hive only what is on the way is read, and all of it is what libhivex says") {
  constexpr int keys = 3000;
  std::string reg;
  for (int i = 0; i < keys; ++i)
    reg += fmt::format("[\\Services\\service {0:04}]\n\"Start\"=dword:{0:08x}\n\"ImagePath\"=\"{1}\"\n\n", i,
                       std::string(200, 'x'));
  const test::TemporaryDirectory folder;
  test::make_hive(folder / "hive", reg);
  const auto bytes = sys::read_file(folder / "hive", 64 << 20);
  REQUIRE(bytes.size() > 2'000'000);
  Opened opened(bytes);
  CHECK(opened.hive.value("Services\\Service 2345", "Start")->number() == 2345u);
  CHECK(opened.files.bytes_read < 200'000);
  const auto names = opened.hive.subkeys(*opened.hive.find("Services"));
  CHECK(names.size() == keys);
  const auto oracle = test::run_program({"hivexget", (folder / "hive").string(), "\\Services\\service 2999", "Start"});
  CHECK(base::trim(oracle) == fmt::format("{}", *opened.hive.value("Services\\service 2999", "Start")->number()));
}

TEST_CASE("a value of more than 16 KiB lies in pieces") {
  // As Windows writes it: a "db" cell names a list of cells with 16344 bytes each. libhivex reads such, but writes
  // none.
  constexpr std::size_t length = 40000;
  std::string data;
  for (std::size_t i = 0; data.size() < length; ++i) data += fmt::format("{} ", i);
  data.resize(length);
  auto bytes = test::hive_bytes("[\\Key]\n\"Large\"=hex:" + []() {
    std::string hex = "00";
    for (std::size_t i = 1; i < length; ++i) hex += ",00";
    return hex;
  }() + "\n");
  const auto value = cell_at(bytes, "vk");
  REQUIRE(number_at(bytes, value + 4 + 4) == length);
  const std::uint32_t cell = number_at(bytes, value + 4 + 8);
  const std::size_t at = 4096 + cell;  // of the one cell in which libhivex put it all
  const std::uint32_t segments = 3, stride = 16352;
  const auto put_cell = [&](std::uint32_t offset, std::uint32_t size, const std::string& body) {
    bytes = patched(bytes, 4096 + offset, 0u - size);
    bytes.replace(4096 + offset + 4, body.size(), body);
  };
  const auto word = [](std::uint32_t number) { return std::string(reinterpret_cast<const char*>(&number), 4); };
  bytes.resize(std::max(bytes.size(), at + 65536));
  bytes = patched(bytes, 40, std::uint32_t(bytes.size() - 4096));
  const std::uint32_t list = cell + 16, first = list + 16;
  put_cell(cell, 16, "db" + word(segments).substr(0, 2) + word(list));
  put_cell(list, 16, word(first) + word(first + stride) + word(first + 2 * stride));
  for (std::uint32_t i = 0; i < segments; ++i) put_cell(first + i * stride, stride, data.substr(i * 16344, 16344));
  Opened opened(bytes);
  CHECK((opened.hive.value("Key", "Large")->data == data));
}

TEST_CASE("a hive that was being written is dirty") {
  CHECK(Opened(patched(sample(), 4, 99)).hive.is_dirty());
  CHECK(Opened(patched(sample(), 508, 99)).hive.is_dirty());
}

TEST_CASE("what is no hive, or breaks its rules, is corrupt") {
  const auto& good = sample();
  const auto opens = [](const std::string& bytes) { Opened opened(bytes); };
  CHECK(test::kind_of([&] { opens(""); }) == ErrorKind::corrupt);
  CHECK(test::kind_of([&] { opens(std::string(8192, '\0')); }) == ErrorKind::corrupt);
  CHECK(test::kind_of([&] { opens(good.substr(0, 500)); }) == ErrorKind::corrupt);
  CHECK(test::kind_of([&] { opens(patched(good, 20, 2)); }) == ErrorKind::corrupt);
  test::MemoryFiles none;
  CHECK(test::kind_of([&] { Hive(none, "/hive"); }) == ErrorKind::not_found);

  const auto reading = [](const std::string& bytes) {
    return test::kind_of([&] { Opened(bytes).hive.value("Microsoft\\Windows NT\\CurrentVersion", "Missing"); });
  };
  const auto root = cell_at(good, "nk"), list = 4096 + std::size_t(number_at(good, root + 4 + 28));
  CHECK(reading(patched(good, 36, 0x7ffffff0)) == ErrorKind::corrupt);        // root beyond the end
  CHECK(reading(patched(good, root, 0x60)) == ErrorKind::corrupt);            // a free cell
  CHECK(reading(patched(good, root, 0xfffffffc)) == ErrorKind::corrupt);      // of 4 bytes
  CHECK(reading(patched(good, root, 0x80000000)) == ErrorKind::corrupt);      // of 2 GiB
  CHECK(reading(patched(good, root + 4, 0)) == ErrorKind::corrupt);           // no key
  CHECK(reading(patched(good, root + 4 + 28, 8)) == ErrorKind::corrupt);      // subkeys in no cell
  CHECK(reading(patched(good, list + 4, 0xffff7878)) == ErrorKind::corrupt);  // a list of no kind
  CHECK(reading(good.substr(0, 4096)) == ErrorKind::corrupt);                 // no bins
}

TEST_CASE("a list of keys that leads to itself ends") {
  const auto& good = sample();
  const auto list = 4096 + std::size_t(number_at(good, cell_at(good, "nk") + 4 + 28));
  auto bytes = patched(good, list + 4, 0x00026972);  // "ri" with two lists
  const auto itself = std::uint32_t(list - 4096);
  bytes = patched(patched(bytes, list + 8, itself), list + 12, itself);
  CHECK(test::kind_of([&] { Opened(bytes).hive.subkeys(0x20); }) == ErrorKind::corrupt);
}

}  // namespace hrvm::probe
