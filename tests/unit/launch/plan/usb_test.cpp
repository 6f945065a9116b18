#include "hrvm/launch/usb.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using Catch::Matchers::Contains;
using launch::UsbId;

namespace {

// A host with a hub, a key for signing and a stick.
struct Plugged {
  Plugged() {
    plug("usb1", "1d6b", "0002", "09", "09", "Linux", "xHCI Host Controller");
    plug("1-1", "1050", "0407", "00", "0b", "Yubico", "YubiKey OTP+FIDO+CCID");
    plug("1-2", "0781", "5581", "00", "08", "SanDisk", "Ultra");
  }
  void plug(const std::string& port, const std::string& vendor, const std::string& product, const std::string& kind,
            const std::string& interface, const std::string& maker, const std::string& name) {
    const auto device = "/sys/bus/usb/devices/" + port;
    folder.write(device + "/idVendor", vendor + "\n");
    folder.write(device + "/idProduct", product + "\n");
    folder.write(device + "/bDeviceClass", kind + "\n");
    folder.write(device + "/manufacturer", maker + "\n");
    folder.write(device + "/product", name + "\n");
    folder.write(device + "/" + port + ":1.0/bInterfaceClass", interface + "\n");
  }
  std::string obstacle(const UsbId& id) {
    try {
      launch::check_usb_device(machine.host(), id);
    } catch (const base::Error& error) {
      return error.message() + " | " + error.hint();
    }
    return "none";
  }

  test::TemporaryDirectory folder;
  test::TestHost machine{folder.path()};
};

}  // namespace

TEST_CASE("a USB device is named by two times four hex digits") {
  CHECK(launch::usb_id_from("046d:C52b") == UsbId{0x046d, 0xc52b});
  CHECK(launch::text({0x46d, 0xc}) == "046d:000c");
  for (const char* word : {"", ":", "046d", "046d:", "46d:c52b", "046d:c52b0", "046d:c52g", "046d:-001", "0x6d:c52b"}) {
    INFO(word);
    CHECK_FALSE(launch::usb_id_from(word));
  }
}

TEST_CASE_METHOD(Plugged, "a guest is given what is plugged in, but nothing that stores") {
  CHECK(obstacle({0x1050, 0x0407}) == "none");
  CHECK_THAT(obstacle({0x0781, 0x5581}), Contains("0781:5581 stores") && Contains("--disk"));
  CHECK_THAT(obstacle({0x046d, 0xc52b}), Contains("no USB device 046d:c52b") &&
                                             Contains("1050:0407 (Yubico YubiKey OTP+FIDO+CCID), 0781:5581") &&
                                             !Contains("1d6b"));
  std::filesystem::remove_all(folder / "sys");
  CHECK_THAT(obstacle({0x1050, 0x0407}), Contains("nothing is plugged in"));
}
