#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/gather.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::doctor {
namespace {

// Extended L2 entries came with 5.2, the form in which machines are described with 6.0.
constexpr unsigned oldest_major = 6;
constexpr std::string_view install = "apt install qemu-system-x86";

// "QEMU emulator version 7.2.22 (Debian …)" → "7.2.22".
std::string version_in(std::string_view text) {
  constexpr std::string_view before = "version ";
  const auto at = text.find(before);
  if (at == text.npos) return "";
  const auto rest = text.substr(at + before.size());
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

CheckResult judge(const std::string& program, const std::string& version) {
  const auto major = base::parse_unsigned(base::split(version, '.')[0]);
  if (!major) return {"qemu", Status::error, program + " does not tell its version", std::string(install)};
  if (*major >= oldest_major) return {"qemu", Status::ok, fmt::format("{} is version {}", program, version), ""};
  return {"qemu", Status::error,
          fmt::format("{} is version {}, older than {}.0, which hrvm needs", program, version, oldest_major),
          std::string(install)};
}

}  // namespace

Results check_qemu(const Circumstances& at) {
  const auto program = launch::find_qemu(at.host);
  if (!program) return {{"qemu", Status::error, "QEMU is not installed: no machine can run", std::string(install)}};
  if (at.host.is_recorded()) return {{"qemu", Status::ok, *program + " is there", ""}};
  try {
    const auto answer = at.host.runner.run({{*program, "--version"}}, std::chrono::seconds(5));
    return {judge(*program, version_in(answer.out))};
  } catch (const base::Error& error) {
    return {{"qemu", Status::error, error.message(), std::string(install)}};
  }
}

}  // namespace hrvm::doctor
