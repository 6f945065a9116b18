#include "hrvm/launch/virsh.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::launch {
namespace {

using base::Error;
using base::ErrorKind;

// libvirt asks the tools beside swtpm what TPM it can be, and says no more than this where they are not there.
constexpr std::string_view no_tpm_tools = "TPM version '2.0' is not supported";

std::string hint_for(std::string_view complaint) {
  if (complaint.find(no_tpm_tools) != complaint.npos)
    return "libvirt makes TPMs by swtpm_setup: apt install swtpm-tools";
  if (complaint.find("Cannot get interface MTU") != complaint.npos)
    return "there is no such bridge where libvirt runs: ip link show type bridge";
  return "hrvm doctor tells what libvirt lacks on this host";
}

Error out_of_reach(const std::string& uri, std::string_view reason) {
  return Error(ErrorKind::external, fmt::format("libvirt at {} {}", uri, reason))
      .hint("hrvm doctor tells what libvirt lacks on this host");
}

}  // namespace

std::string complaint(const sys::Result& result) {
  std::vector<std::string> lines;
  for (const auto line : base::lines(base::trim(result.err)))
    lines.emplace_back(line.starts_with("error: ") ? line.substr(7) : line);
  return base::join(lines, ": ");
}

sys::Command virsh_command(const sys::Host& host, const std::string& uri, std::vector<std::string> words) {
  const auto program = host.find_program("virsh");
  if (!program) throw Error(ErrorKind::not_found, "virsh is not installed").hint("apt install libvirt-clients");
  words.insert(words.begin(), {*program, "-q", "-c", uri});
  // Its words are understood here.
  return {.argv = std::move(words), .environment = {{"LC_ALL", "C"}}, .inherited_fds = {}};
}

sys::Result ask_virsh(const sys::Host& host, const std::string& uri, std::vector<std::string> words,
                      std::chrono::milliseconds limit) {
  auto result = host.runner.run(virsh_command(host, uri, std::move(words)), limit);
  if (result.timed_out) throw out_of_reach(uri, "does not answer");
  if (result.exit_status != 0 && result.err.find("failed to connect to the hypervisor") != std::string::npos)
    throw out_of_reach(uri, "is out of reach: " + complaint(result));
  return result;
}

std::string order_virsh(const sys::Host& host, const std::string& uri, std::vector<std::string> words,
                        std::chrono::milliseconds limit) {
  auto result = ask_virsh(host, uri, words, limit);
  if (result.exit_status == 0) return std::move(result.out);
  words.insert(words.begin(), {"virsh", "-c", uri});
  const auto said = complaint(result);
  throw Error(ErrorKind::external, fmt::format("{} failed: {}", base::shell_quote(words), said)).hint(hint_for(said));
}

}  // namespace hrvm::launch
