#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "hrvm/sys/files.hpp"
#include "hrvm/sys/kvm.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/skipping.hpp"

using namespace hrvm;
using Catch::Matchers::Contains;

namespace {

struct Fixture {
  Fixture() {
    std::string name = "/tmp/hrvm-kvm-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~Fixture() { std::filesystem::remove_all(folder); }

  std::unique_ptr<sys::Runner> runner = sys::make_process_runner();
  sys::Host host = sys::real_host(*runner);
  std::filesystem::path folder;
};

std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a recorded host has no KVM") {
  host.root = folder;
  const auto proof = sys::prove_kvm(host);
  CHECK_FALSE(proof.works);
  CHECK_THAT(proof.reason, Contains("recorded"));
}

TEST_CASE_METHOD(Fixture, "a proof says why, and soon") {
  sys::KvmProof proof;
  CHECK(time_of([&] { proof = sys::prove_kvm(host); }) < std::chrono::seconds{1});
  CHECK_FALSE(proof.reason.empty());
  CHECK(proof.works == (proof.reason == "KVM runs guests"));
}

TEST_CASE_METHOD(Fixture, "a KVM that emulates is told from one that runs guests") {
  if (!std::filesystem::exists("/sys/module/kvm_pvm")) HRVM_SKIP("this KVM does not emulate");
  const auto proof = sys::prove_kvm(host);
  CHECK_FALSE(proof.works);
  if (sys::is_writable("/dev/kvm")) CHECK_THAT(proof.reason, Contains("kvm_pvm") && Contains("SSE2"));
}

TEST_CASE_METHOD(Fixture, "a proof is remembered until the host boots again") {
  if (!sys::is_writable("/dev/kvm")) HRVM_SKIP("there is no KVM to prove");
  const auto cache = folder / "run";
  const auto proof = sys::cached_kvm_proof(host, cache);
  CHECK(sys::status(cache / "kvm").mode == 0600);

  std::string kept = sys::read_file(cache / "kvm");
  REQUIRE_THAT(kept, Contains(proof.reason));
  kept.replace(kept.find(proof.reason), proof.reason.size(), "remembered");
  std::ofstream(cache / "kvm") << kept;
  CHECK(sys::cached_kvm_proof(host, cache).reason == "remembered");

  kept[0] = kept[0] == 'f' ? '0' : 'f';  // another boot id
  std::ofstream(cache / "kvm") << kept;
  CHECK(sys::cached_kvm_proof(host, cache).reason == proof.reason);
  CHECK_THAT(sys::read_file(cache / "kvm"), Contains(proof.reason));
}

TEST_CASE_METHOD(Fixture, "a remembered proof that is broken is made again") {
  const auto proof = sys::prove_kvm(host);
  std::ofstream(folder / "kvm") << "yes";
  CHECK(sys::cached_kvm_proof(host, folder).reason == proof.reason);
}

TEST_CASE_METHOD(Fixture, "a proof that cannot be kept is still given") {
  std::ofstream(folder / "file") << "in the way";
  CHECK(sys::cached_kvm_proof(host, folder / "file").reason == sys::prove_kvm(host).reason);
}
