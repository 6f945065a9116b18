#include "hrvm/sys/kvm.hpp"

#include "doctor/checks.hpp"

namespace hrvm::doctor {

// What to do about a reason that sys::prove_kvm gives, by how it begins.
struct KvmRemedy {
  std::string_view reason, remedy;
};
static constexpr KvmRemedy remedies[] = {
    {"/dev/kvm is not there",
     "modprobe kvm_intel || modprobe kvm_amd   (where both fail, switch virtualisation on in "
     "the firmware's setup: VT-x, SVM)"},
    {"this user may not", "usermod -aG kvm \"$USER\"   (as root; then log in again)"},
    {"KVM only emulates", "run hrvm on the computer itself, or switch nested virtualisation on in its host"},
};

Results check_kvm(const Circumstances& at) {
  if (at.host.is_recorded()) return {{"kvm", Status::skipped, "a recorded host has no KVM to try", ""}};
  const auto proof = sys::prove_kvm(at.host);
  if (proof.works) return {{"kvm", Status::ok, proof.reason, ""}};
  std::string remedy;
  for (const auto& known : remedies) {
    if (proof.reason.starts_with(known.reason)) remedy = known.remedy;
  }
  return {{"kvm", Status::warning, proof.reason + "; machines run by emulation, many times slower", remedy}};
}

}  // namespace hrvm::doctor
