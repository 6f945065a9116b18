#include <catch2/catch.hpp>

#include "hrvm/machine/definition.hpp"

using namespace hrvm::machine;

TEST_CASE("machine names are lower-case words that are safe as folder names") {
  for (const char* good : {"web", "0", "a.b_c-d", "pve-2"}) CHECK(is_machine_name(good));
  for (const char* bad : {"", ".", "..", "-web", "_web", "Web", "a/b", "a b", "../x", "a@b", "ä", "a\n"})
    CHECK_FALSE(is_machine_name(bad));
  CHECK(is_machine_name(std::string(63, 'a')));
  CHECK_FALSE(is_machine_name(std::string(64, 'a')));
  CHECK_FALSE(is_machine_name(std::string_view("a\0b", 3)));
}

TEST_CASE("snapshot names may have capitals and colons, and no separators") {
  for (const char* good : {"fresh", "2026-02-14T10:00", "A", "v1.2_3"}) CHECK(is_snapshot_name(good));
  for (const char* bad : {"", ".", ":x", "-x", "a/b", "a@b", "a b"}) CHECK_FALSE(is_snapshot_name(bad));
  CHECK_FALSE(is_snapshot_name(std::string(64, 'a')));
}

TEST_CASE("a derived name is what is left of a host name") {
  CHECK(derive_machine_name("My Host.example") == "my-host.example");
  CHECK(derive_machine_name("--PVE//1--") == "pve-1");
  CHECK(derive_machine_name("Büro") == "b-ro");
  CHECK(derive_machine_name("...") == "");
  CHECK(derive_machine_name("") == "");
  CHECK(is_machine_name(derive_machine_name(std::string(62, 'a') + "--" + "b")));
}

TEST_CASE("words of the hardware read back as what they were written for") {
  for (auto value : {Firmware::bios, Firmware::uefi}) CHECK(from_word<Firmware>(word(value)) == value);
  for (auto value : {MachineType::q35, MachineType::pc}) CHECK(from_word<MachineType>(word(value)) == value);
  for (auto value : {Bus::virtio, Bus::sata, Bus::nvme, Bus::scsi, Bus::ide})
    CHECK(from_word<Bus>(word(value)) == value);
  for (auto value : {SecureBoot::off, SecureBoot::on, SecureBoot::blank})
    CHECK(from_word<SecureBoot>(word(value)) == value);
  CHECK_FALSE(from_word<Bus>("floppy"));
  for (const char* text : {"isolated", "nat", "none", "bridge=br0"}) CHECK(word(*network_from(text)) == text);
  for (const char* bad :
       {"", "bridge", "bridge=", "nat=x", "bridge=a/b", "bridge=a,b", "bridge=0123456789abcdef", "lan"})
    CHECK_FALSE(network_from(bad));
}
