#include "hrvm/sys/kvm.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "sys/kvm_guest.hpp"

namespace hrvm::sys {

namespace {

// Making a virtual machine waits for the kernel's grace periods, which a busy host stretches.
constexpr int child_limit_ms = 3000;

[[noreturn]] void prove_and_exit(int kvm, int answer) {
  const std::string reason = disprove_kvm(kvm);
  const bool told = write(answer, reason.data(), reason.size()) == ssize_t(reason.size());
  _exit(reason.empty() && told ? 0 : 1);
}

bool readable_within(int fd, int limit_ms) {
  pollfd waiting{fd, POLLIN, 0};
  int ready;
  do ready = poll(&waiting, 1, limit_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// The child's answer; nullopt when the time passes.
std::optional<std::string> answer_of(int fd) {
  if (!readable_within(fd, child_limit_ms)) return std::nullopt;
  std::array<char, 256> text;
  const ssize_t got = read(fd, text.data(), text.size());
  return std::string(text.data(), std::size_t(got > 0 ? got : 0));
}

int reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Why a guest does not run; empty when it does.
std::string try_in_child(int kvm) {
  std::array<int, 2> pipe_ends;
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw base::system_error(errno, "make", "a pipe");
  Fd read_end(pipe_ends[0]), write_end(pipe_ends[1]);
  const pid_t child = fork();
  if (child < 0) throw base::system_error(errno, "start", "a process to prove KVM in");
  if (child == 0) prove_and_exit(kvm, write_end.get());
  write_end.reset();
  const auto answer = answer_of(read_end.get());
  if (!answer) kill(child, SIGKILL);
  const int status = reap(child);
  if (!answer) return fmt::format("a test guest did not end within {} s", child_limit_ms / 1000);
  if (WIFSIGNALED(status)) return fmt::format("a test guest's process died of {}", strsignal(WTERMSIG(status)));
  return *answer;
}

struct Device {
  Fd fd;
  std::string reason;  // when there is no fd
};

Device open_kvm(const Host& host) {
  if (host.is_recorded()) return {{}, "a recorded host has no KVM"};
  Fd fd(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (fd) return {std::move(fd), {}};
  if (errno == ENOENT) return {{}, "/dev/kvm is not there"};
  if (errno == EACCES || errno == EPERM) return {{}, "this user may not open /dev/kvm"};
  return {{}, fmt::format("/dev/kvm cannot be opened: {}", std::strerror(errno))};
}

KvmProof prove(const Host& host, int kvm) {
  const std::string reason = try_in_child(kvm);
  if (reason.empty()) return {true, "KVM runs guests"};
  const bool pvm = sys::status(host.path("/sys/module/kvm_pvm")).type == FileType::directory;
  return {false, fmt::format("KVM only emulates here{}: {}", pvm ? " (kvm_pvm)" : "", reason)};
}

// What a proof holds for: this boot, and this device node (which is a new one when another KVM module is loaded).
std::string validity(const Host& host) {
  const auto boot = try_read_line(host.path("/proc/sys/kernel/random/boot_id"));
  return boot ? fmt::format("{} {}", *boot, sys::status("/dev/kvm").inode) : "";
}

// Three lines: validity, "yes" or "no", reason.
std::optional<KvmProof> recall(const Path& file, const std::string& valid_for) {
  const auto text = try_read_file(file, 4096);
  if (!text) return std::nullopt;
  const auto lines = base::lines(*text);
  if (lines.size() != 3 || lines[0] != valid_for || (lines[1] != "yes" && lines[1] != "no")) return std::nullopt;
  return KvmProof{lines[1] == "yes", std::string(lines[2])};
}

// A proof that cannot be kept is made again the next time.
void remember(const Path& file, const std::string& valid_for, const KvmProof& proof) {
  try {
    make_directories(file.parent_path());
    AtomicFile kept(file);
    kept.write(fmt::format("{}\n{}\n{}\n", valid_for, proof.works ? "yes" : "no", proof.reason));
    kept.commit();
  } catch (const base::Error&) {
  }
}

}  // namespace

KvmProof prove_kvm(const Host& host) {
  const auto device = open_kvm(host);
  return device.fd ? prove(host, device.fd.get()) : KvmProof{false, device.reason};
}

KvmProof cached_kvm_proof(const Host& host, const std::filesystem::path& cache_folder) {
  const auto device = open_kvm(host);
  if (!device.fd) return {false, device.reason};
  const auto valid_for = validity(host);
  const Path file = cache_folder / "kvm";
  if (valid_for.empty()) return prove(host, device.fd.get());
  if (const auto known = recall(file, valid_for)) return *known;
  const auto proof = prove(host, device.fd.get());
  remember(file, valid_for, proof);
  return proof;
}

}  // namespace hrvm::sys
