#include <algorithm>
#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/virtiofs.hpp"
#include "support/failing.hpp"
#include "unit/launch/sample_plan.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using base::ErrorKind;
using Catch::Contains;
using hrvm::launch::testing::Sample;
using machine::Share;
using Words = std::vector<std::string>;

namespace {

struct SharingSample : Sample {
  SharingSample() {
    host.virtiofsd = "/usr/libexec/virtiofsd";
    host.is_root = true;
    state.hardware.shares = {{"/srv/data", "data", false}, {"/srv/www", "www", true}};
  }
  std::vector<Share> planned() const {
    std::vector<Share> shares;
    for (const auto& share : plan().companions.shares) shares.push_back(share.what);
    return shares;
  }
};

std::size_t place_of(const Words& command, const std::string& word) {
  return std::size_t(std::ranges::find(command, word) - command.begin());
}

}  // namespace

TEST_CASE_METHOD(SharingSample, "a boot's folders stand beside the machine's, and in place of those of their tag") {
  CHECK(planned() == state.hardware.shares);
  request.shares = {{"/tmp/more", "more", false}, {"/srv/old", "data", true}};
  CHECK(planned() == std::vector<Share>{{"/srv/old", "data", true}, {"/srv/www", "www", true}, request.shares[0]});
  request.without_own_shares = true;
  CHECK(planned() == request.shares);
  request.shares.clear();
  CHECK(planned().empty());
}

TEST_CASE_METHOD(SharingSample, "each folder has a virtiofsd that sees it alone, and a device behind all others") {
  const auto shares = plan().companions.shares;
  CHECK(virtiofsd_command(shares[1], "--fd=7") == Words{"/usr/libexec/virtiofsd", "--fd=7", "-o",
                                                        "source=/run/hrvm/0f0e0d0c-0b0a-4908-8706-050403020100/share1",
                                                        "-o", "cache=auto", "-o", "sandbox=namespace"});
  const auto shared = command();
  CHECK(place_of(shared, "vhost-user-fs-pci,chardev=share1,tag=www,queue-size=1024") < shared.size());
  CHECK(place_of(shared, "socket,id=share1,path=/run/hrvm/0f0e0d0c-0b0a-4908-8706-050403020100/share1.sock") <
        place_of(shared, "vhost-user-fs-pci,chardev=share1,tag=www,queue-size=1024"));
  CHECK(place_of(shared, "memory-backend-memfd,id=memory0,size=2048M,share=on") < shared.size());
  const auto is_device = [&, last = false](const std::string& word) mutable {
    return std::exchange(last, word == "-device") && !word.starts_with("vhost-user-fs-pci");
  };
  Words with, without;
  std::ranges::copy_if(shared, std::back_inserter(with), is_device);
  state.hardware.shares.clear();
  std::ranges::copy_if(command(), std::back_inserter(without), is_device);
  CHECK(with == without);
  CHECK(place_of(shared, "vhost-user-fs-pci,chardev=share0,tag=data,queue-size=1024") > place_of(shared, with.back()));
}

TEST_CASE_METHOD(SharingSample, "who lacks virtiofsd, is not root, or shares too much is told how to boot without") {
  const auto refusal = [&] { return test::error_of([&] { plan(); }); };
  host.is_root = false;
  CHECK(refusal().kind() == ErrorKind::permission);
  CHECK_THAT(refusal().hint(), Contains("--share-folder none") && Contains("hrvm set web share=none"));
  host.virtiofsd = "";
  CHECK(refusal().kind() == ErrorKind::not_found);
  CHECK_THAT(refusal().hint(), Contains("apt install virtiofsd") && Contains("--share-folder none"));
  request.without_own_shares = true;
  CHECK_NOTHROW(plan());
  host = SharingSample().host;
  for (int number = 0; number < 9; ++number) request.shares.push_back({"/srv", "n" + std::to_string(number), false});
  CHECK(refusal().kind() == ErrorKind::usage);
}

TEST_CASE_METHOD(SharingSample, "libvirt is not given a machine that shares a folder") {
  const auto error = test::error_of([&] { domain_xml(plan()); });
  CHECK(error.kind() == ErrorKind::unsupported);
  CHECK_THAT(error.hint(), Contains("share=none"));
}
