#include "sys/confined/seccomp_filter.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hrvm::sys {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_AARCH64;
#else
#error "the system-call filter does not know this architecture: add its AUDIT_ARCH_ constant"
#endif

// What reading, computing, handling an own crash and answering take. memfd_create, ftruncate and pwrite64 serve the
// copy of a device's ends that libblkid is shown.
constexpr int allowed[] = {
    SYS_read,         SYS_pread64,       SYS_readv,           SYS_preadv,       SYS_lseek,
    SYS_fadvise64,    SYS_fstat,         SYS_newfstatat,      SYS_fcntl,        SYS_close,
    SYS_write,        SYS_writev,        SYS_pwrite64,        SYS_ftruncate,    SYS_memfd_create,
    SYS_mmap,         SYS_munmap,        SYS_mremap,          SYS_mprotect,     SYS_madvise,
    SYS_brk,          SYS_futex,         SYS_sched_yield,     SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sigaltstack,   SYS_restart_syscall, SYS_getpid,       SYS_gettid,
    SYS_getrandom,    SYS_clock_gettime, SYS_clock_nanosleep, SYS_gettimeofday, SYS_exit,
    SYS_exit_group,
#if defined(SYS_time)
    SYS_time,
#endif
#if defined(__SANITIZE_ADDRESS__)
    SYS_pipe2,  // the sanitizer writes into a pipe to learn whether memory can be read
#endif
};

struct Refusal {
  int call;
  std::uint16_t error;
};

// What libraries try and can do without.
constexpr Refusal refused[] = {
    {SYS_openat, EACCES},   {SYS_readlinkat, EACCES}, {SYS_faccessat, EACCES}, {SYS_statx, EACCES},
    {SYS_ioctl, ENOTTY},    {SYS_prlimit64, EPERM},   {SYS_getcwd, EACCES},    {SYS_sched_getaffinity, EPERM},
    {SYS_getrusage, EPERM}, {SYS_sysinfo, EPERM},     {SYS_uname, EPERM},
#if defined(SYS_open)
    {SYS_open, EACCES},     {SYS_readlink, EACCES},   {SYS_access, EACCES},    {SYS_stat, EACCES},
    {SYS_lstat, EACCES},    {SYS_getrlimit, EPERM},
#endif
};

// What a Tree does beside that (hrvm/sys/tree.hpp). O_LARGEFILE is one that C libraries add.
//
// A filter sees numbers, and no names: a child that is taken over can learn by these what stat(2) and getxattr(2) tell
// of any file, though not what is in it (landlock.hpp). Calls by descriptor would not take that away: O_PATH gives one
// for any path, fstat(3) itself is newfstatat, and fgetxattr refuses what was opened by O_PATH, so that a link's
// attributes have a path in any case.
constexpr int allowed_for_folders[] = {SYS_getdents64, SYS_readlinkat, SYS_statx,      SYS_fgetxattr,
                                       SYS_flistxattr, SYS_lgetxattr,  SYS_llistxattr, SYS_name_to_handle_at};
constexpr std::uint32_t kernels_large_file = 0100000;
constexpr std::uint32_t opening_flags =
    O_PATH | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOATIME | kernels_large_file;

using Program = std::vector<sock_filter>;

void load(Program& program, std::size_t offset) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, std::uint32_t(offset)));
}

void answer(Program& program, std::uint32_t action) { program.push_back(BPF_STMT(BPF_RET | BPF_K, action)); }

// `action` for the call whose number is loaded, else on to the next rule.
void rule(Program& program, int call, std::uint32_t action) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, std::uint32_t(call), 0, 1));
  answer(program, action);
}

// abort(3) sends SIGABRT to its own thread: tgkill, with this process as target only.
void allow_signals_to(Program& program, pid_t own) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4));
  load(program, offsetof(seccomp_data, args));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, std::uint32_t(own), 0, 1));
  answer(program, SECCOMP_RET_ALLOW);
  answer(program, SECCOMP_RET_KILL_PROCESS);
}

// openat(2) with these flags alone, O_RDONLY as none of them, and never through a link at the path's end.
void allow_opening(Program& program) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 5));
  load(program, offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t));
  program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~opening_flags));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_NOFOLLOW, 0, 1));
  answer(program, SECCOMP_RET_ALLOW);
  answer(program, SECCOMP_RET_ERRNO | EACCES);
}

Program make_program(bool reads_folders) {
  Program program;
  load(program, offsetof(seccomp_data, arch));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native_architecture, 1, 0));
  answer(program, SECCOMP_RET_KILL_PROCESS);
  load(program, offsetof(seccomp_data, nr));
  for (int call : allowed) rule(program, call, SECCOMP_RET_ALLOW);
  if (reads_folders) {
    for (int call : allowed_for_folders) rule(program, call, SECCOMP_RET_ALLOW);
    allow_opening(program);
  }
  for (const Refusal& refusal : refused) rule(program, refusal.call, SECCOMP_RET_ERRNO | refusal.error);
  allow_signals_to(program, ::getpid());
  answer(program, SECCOMP_RET_KILL_PROCESS);
  return program;
}

}  // namespace

bool apply_seccomp_filter(bool reads_folders) {
  Program program = make_program(reads_folders);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace hrvm::sys
