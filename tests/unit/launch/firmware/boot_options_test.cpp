#include "hrvm/launch/boot_options.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "support/failing.hpp"

using namespace hrvm;
using namespace std::string_literals;
using launch::BootEntry;
using launch::VariableStore;

namespace {

constexpr std::size_t store_at = 0x48, first_variable = 0x64;

std::string guid_bytes(const char* text) {
  const auto bytes = base::Guid::parse(text).value().to_mixed_endian();
  std::string out(16, '\0');
  for (std::size_t i = 0; i < 16; ++i) out[i] = char(bytes[i]);
  return out;
}

template <typename T>
void put(std::string& bytes, std::size_t at, T value) {
  base::store(std::as_writable_bytes(std::span(bytes)), at, value);
}

// Flash as OVMF's templates are: a volume's header, the store's, and nothing in it.
std::string blank(std::uint32_t store_bytes = 4096) {
  std::string flash(store_at + store_bytes + 8192, '\xff');
  flash.replace(0, 16, 16, '\0');
  flash.replace(16, 16, guid_bytes("fff12b8d-7696-4c8b-a985-2747075b4f50"));
  put(flash, 0x20, base::le64(flash.size()));
  flash.replace(0x28, 4, "_FVH");
  put(flash, 0x30, base::le16(store_at));
  flash.replace(store_at, 16, guid_bytes("aaf32c78-947b-439a-a180-2e144ec37792"));
  put(flash, store_at + 16, base::le32(store_bytes));
  flash.replace(store_at + 20, 8, "\x5a\xfe\0\0\0\0\0\0"s);
  return flash;
}

BootEntry debian() {
  return {"debian",
          probe::TableKind::gpt,
          2,
          4096,
          32768,
          "d3300000-0000-4000-8000-000000000002",
          "/EFI/debian/grubx64.efi"};
}

VariableStore parsed(const std::string& flash) { return {flash, "/vars.fd"}; }

std::string entry_text(const launch::BootOption& option) {
  return option.name + " " + option.description + " " + option.path + (option.active ? "" : " (off)") +
         (option.place ? " " + std::to_string(*option.place) : "");
}

probe::Contents disk_with(const std::vector<std::string>& loaders, const std::string& system) {
  probe::Contents contents;
  contents.table = probe::TableKind::gpt;
  contents.logical_sector_bytes = 4096;
  probe::SurveyedPartition esp;
  esp.partition.number = 1;
  esp.partition.start_bytes = 1 << 20;
  esp.partition.size_bytes = 512 << 20;
  esp.partition.partuuid = "d3300000-0000-4000-8000-000000000001";
  contents.partitions.push_back(esp);
  for (const auto& path : loaders) contents.boot.loaders.push_back({1, path, path == "/EFI/BOOT/BOOTX64.EFI"});
  if (!system.empty()) {
    probe::System own;
    own.id = system;
    contents.systems.push_back(own);
  }
  return contents;
}

std::vector<std::string> paths(const std::vector<BootEntry>& entries) {
  std::vector<std::string> paths;
  for (const auto& entry : entries) paths.push_back(entry.path);
  return paths;
}

}  // namespace

TEST_CASE("a boot entry is written as OVMF reads it, and read back") {
  auto variables = parsed(blank());
  CHECK(variables.variables().empty());
  launch::add_boot_entries(variables, {debian()});
  const auto options = launch::boot_options(parsed(variables.bytes()));
  REQUIRE(options.size() == 1);
  CHECK(entry_text(options[0]) ==
        "Boot0000 debian HD(2,GPT,d3300000-0000-4000-8000-000000000002)/\\EFI\\debian\\grubx64.efi 0");

  // Its header (60 bytes) and name, then the load option: attributes, the path's length, description, hard drive node.
  const auto& flash = variables.bytes();
  CHECK(flash.substr(first_variable, 8) == "\xaa\x55\x3f\x00\x07\x00\x00\x00"s);
  CHECK(flash.substr(first_variable + 60, 18) == "B\0o\0o\0t\0000\0000\0000\0000\0\0\0"s);
  const auto option = first_variable + 60 + 18;
  CHECK(flash.substr(option, 20) == "\x01\0\0\0\x62\0d\0e\0b\0i\0a\0n\0\0\0"s);
  CHECK(flash.substr(option + 20, 8) == "\x04\x01\x2a\x00\x02\x00\x00\x00"s);
  CHECK(flash.substr(option + 28, 16) == "\0\x10\0\0\0\0\0\0\0\x80\0\0\0\0\0\0"s);
  CHECK(flash.substr(option + 44, 18) == guid_bytes("d3300000-0000-4000-8000-000000000002") + "\x02\x02"s);
  CHECK(flash.substr(option + 62, 4) == "\x04\x04\x34\0"s);
  CHECK(flash.substr(option + 62 + 0x34, 4) == "\x7f\xff\x04\0"s);
}

TEST_CASE("nothing but the free part of the store changes") {
  const auto before = blank();
  auto variables = parsed(before);
  launch::add_boot_entries(variables, {debian()});
  const auto& after = variables.bytes();
  REQUIRE(after.size() == before.size());
  CHECK(after.substr(0, first_variable) == before.substr(0, first_variable));
  const auto used = 4096 - 28 - variables.free_bytes();
  CHECK(after.substr(first_variable + used) == before.substr(first_variable + used));
  CHECK(used % 4 == 0);
}

TEST_CASE("new entries stand before those that are there, whose numbers they leave alone") {
  auto variables = parsed(blank());
  launch::add_boot_entries(variables, {debian()});
  auto windows = debian();
  windows.description = "Windows Boot Manager";
  launch::add_boot_entries(variables, {windows});
  const auto read = parsed(variables.bytes());
  const auto options = launch::boot_options(read);
  REQUIRE(options.size() == 2);
  CHECK(options[0].name == "Boot0001");
  CHECK(options[0].description == "Windows Boot Manager");
  CHECK(options[1].place == 1);
  // The BootOrder that was replaced is marked so, and counts no more.
  CHECK(read.variables().size() == 3);
  CHECK(read.free_bytes() == variables.free_bytes());
}

TEST_CASE("a DOS partition is named by its disk's signature") {
  auto variables = parsed(blank());
  auto entry = debian();
  entry.table = probe::TableKind::dos;
  entry.partuuid = "1234abcd-02";
  launch::add_boot_entries(variables, {entry});
  CHECK(launch::boot_options(variables).at(0).path == "HD(2,MBR,0x1234abcd)/\\EFI\\debian\\grubx64.efi");
}

TEST_CASE("entries are for loaders that firmware does not find by itself, the disk's own system first") {
  const std::vector<std::string> all = {"/EFI/BOOT/BOOTX64.EFI", "/EFI/ubuntu/shimx64.efi", "/EFI/debian/shimx64.efi",
                                        "/EFI/debian/grubx64.efi", "/EFI/systemd/systemd-bootx64.efi"};
  CHECK(paths(launch::boot_entries(disk_with(all, "debian"))) ==
        std::vector<std::string>{all[2], all[3], all[4], all[1]});
  CHECK(launch::boot_entries(disk_with({all[0]}, "debian")).empty());
  CHECK(launch::boot_entries(disk_with({"/EFI/Linux/arch-6.1.efi"}, "arch")).at(0).description == "arch-6.1.efi");
  const auto windows = launch::boot_entries(disk_with({"/EFI/Microsoft/Boot/bootmgfw.efi"}, "windows"));
  REQUIRE(windows.size() == 1);
  CHECK(windows[0].description == "Windows Boot Manager");
  CHECK(windows[0].start_sectors == 256);  // of 4096 bytes
  CHECK(windows[0].size_sectors == 131072);
}

TEST_CASE("variables that are not of the kind that is read are refused, damaged ones with their place") {
  CHECK(test::kind_of([] { parsed(""); }) == base::ErrorKind::unsupported);
  CHECK(test::kind_of([] { parsed(std::string(8192, '\xff')); }) == base::ErrorKind::unsupported);
  auto other = blank();
  other[store_at] = 'y';
  CHECK(test::kind_of([&] { parsed(other); }) == base::ErrorKind::unsupported);
  auto long_store = blank();
  put(long_store, store_at + 16, base::le32(1 << 30));
  CHECK(test::kind_of([&] { parsed(long_store); }) == base::ErrorKind::corrupt);
  auto variables = parsed(blank());
  launch::add_boot_entries(variables, {debian()});
  auto long_name = variables.bytes();
  put(long_name, first_variable + 36, base::le32(0xfffffff0));
  const auto error = test::error_of([&] { parsed(long_name); });
  CHECK(error.kind() == base::ErrorKind::corrupt);
  CHECK_THAT(error.message(), Catch::Contains("0x64"));
}

TEST_CASE("a full store takes no more, and stays as it was") {
  auto variables = parsed(blank(28 + 200));
  const auto before = variables.bytes();
  CHECK(test::kind_of([&] { launch::add_boot_entries(variables, {debian()}); }) == base::ErrorKind::unsupported);
  CHECK(variables.bytes() == before);
}

TEST_CASE("an interrupted replacement counts once, by the newer one") {
  auto variables = parsed(blank());
  launch::Variable one{launch::global_variable(), "Lang", 7, {std::byte{1}}};
  variables.set(one);
  one.data = {std::byte{2}};
  variables.set(one);
  auto flash = variables.bytes();
  flash[first_variable + 2] = '\x3e';  // it had not been marked deleted yet
  const auto read = parsed(flash);
  REQUIRE(read.variables().size() == 1);
  CHECK(read.variables()[0] == one);
}

TEST_CASE("every variable store of the corpus is read or refused, and an entry that fits is read back") {
  const std::filesystem::path corpus = HRVM_SOURCE_DIR "/tests/corpus/nvram";
  std::size_t refused = 0, written = 0;
  for (const auto& file : std::filesystem::directory_iterator(corpus)) {
    INFO(file.path());
    try {
      auto variables = parsed(sys::read_file(file.path()));
      launch::boot_options(variables);
      launch::add_boot_entries(variables, {debian()});
      CHECK(launch::boot_options(parsed(variables.bytes())).at(0).description == "debian");
      ++written;
    } catch (const base::Error&) {
      ++refused;
    }
  }
  CHECK(written >= 9);
  CHECK(refused >= 4);
}
