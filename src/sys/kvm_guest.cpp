#include "sys/kvm_guest.hpp"

#include <fmt/core.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hrvm::sys {

namespace {

constexpr int program_limit_ms = 100;

// Guest memory: page tables that map the first 2 MiB to themselves (Intel SDM volume 3, 4.5), then the program.
constexpr std::size_t guest_bytes = 64 * 1024;
constexpr std::uint64_t pml4_at = 0x1000, pdpt_at = 0x2000, directory_at = 0x3000, program_at = 0x4000;
constexpr std::uint64_t present_writable = 0x3, large_page = 0x80;

constexpr std::uint64_t cr0_protected_paged = 0x80000033;                  // PG, NE, ET, MP, PE
constexpr std::uint64_t cr4_pae_sse = (1u << 5) | (1u << 9) | (1u << 10);  // PAE, OSFXSR, OSXMMEXCPT
constexpr std::uint64_t efer_long_mode = (1u << 8) | (1u << 10);           // LME, LMA

struct Program {
  const char* name;
  std::array<std::uint8_t, 12> code;
};
constexpr std::array programs{
    // pxor xmm0,xmm0; paddd xmm0,xmm0; hlt
    Program{"SSE2 instructions", {0x66, 0x0f, 0xef, 0xc0, 0x66, 0x0f, 0xfe, 0xc0, 0xf4}},
    // mov ecx,1<<20; turn: dec ecx; jnz turn; hlt
    Program{"a loop of a million turns", {0xb9, 0x00, 0x00, 0x10, 0x00, 0xff, 0xc9, 0x75, 0xfc, 0xf4}},
};

// kvm_cpuid2 with room behind it. In C++ the kernel's declaration has another size, and with it other request numbers.
struct CpuidHead {
  std::uint32_t count, padding;
};
struct CpuidTable {
  CpuidHead head;
  std::array<kvm_cpuid_entry2, 256> entries;
};
static_assert(offsetof(CpuidTable, entries) == 8);
constexpr unsigned long get_supported_cpuid = _IOWR(KVMIO, 0x05, CpuidHead);
constexpr unsigned long set_cpuid2 = _IOW(KVMIO, 0x90, CpuidHead);

struct Disproof {
  std::string reason;
};

template <typename Argument>
int control(int fd, unsigned long request, Argument argument, const char* what) {
  const int result = ioctl(fd, request, argument);
  if (result < 0) throw Disproof{fmt::format("{} failed: {}", what, std::strerror(errno))};
  return result;
}

template <typename T>
T* map(std::size_t bytes, int flags, int fd) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) throw Disproof{fmt::format("mmap failed: {}", std::strerror(errno))};
  return static_cast<T*>(memory);
}

kvm_run* running_vcpu = nullptr;

// KVM_RUN leaves with EINTR, also when the signal comes just before it is entered.
void stop_vcpu(int) { running_vcpu->immediate_exit = 1; }

void arm_timer() {
  struct sigaction action = {};
  action.sa_handler = stop_vcpu;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval timer{{0, 20'000}, {0, program_limit_ms * 1000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// A virtual machine with one processor in 64-bit mode, as a kernel would have it. It lives in the child and goes with
// it, so nothing is released by hand.
class Guest {
 public:
  explicit Guest(int kvm) {
    vm_ = control(kvm, KVM_CREATE_VM, 0ul, "KVM_CREATE_VM");
    control(vm_, KVM_SET_TSS_ADDR, 0xfffbd000ul, "KVM_SET_TSS_ADDR");
    memory_ = map<std::uint8_t>(guest_bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    kvm_userspace_memory_region region = {};
    region.memory_size = guest_bytes;
    std::memcpy(&region.userspace_addr, &memory_, sizeof memory_);
    control(vm_, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
    make_vcpu(kvm);
    write_page_tables();
    enter_long_mode();
  }

  void run(const Program& program) {
    std::memcpy(memory_ + program_at, program.code.data(), program.code.size());
    kvm_regs registers = {};
    registers.rip = program_at;
    registers.rflags = 2;
    control(vcpu_, KVM_SET_REGS, &registers, "KVM_SET_REGS");
    run_->immediate_exit = 0;
    arm_timer();
    // Other signals interrupt it as well, and say nothing about the guest.
    while (ioctl(vcpu_, KVM_RUN, 0) < 0)
      if (errno != EINTR || run_->immediate_exit) throw Disproof{interruption(program, errno)};
    if (run_->exit_reason != KVM_EXIT_HLT) throw Disproof{wrong_exit(program)};
  }

 private:
  void make_vcpu(int kvm) {
    vcpu_ = control(vm_, KVM_CREATE_VCPU, 0ul, "KVM_CREATE_VCPU");
    const int bytes = control(kvm, KVM_GET_VCPU_MMAP_SIZE, 0ul, "KVM_GET_VCPU_MMAP_SIZE");
    run_ = map<kvm_run>(std::size_t(bytes), MAP_SHARED, vcpu_);
    running_vcpu = run_;
    CpuidTable cpuid = {};
    cpuid.head.count = cpuid.entries.size();
    control(kvm, get_supported_cpuid, &cpuid, "KVM_GET_SUPPORTED_CPUID");
    control(vcpu_, set_cpuid2, &cpuid, "KVM_SET_CPUID2");
  }

  void write_entry(std::uint64_t at, std::uint64_t entry) { std::memcpy(memory_ + at, &entry, sizeof entry); }

  void write_page_tables() {
    write_entry(pml4_at, pdpt_at | present_writable);
    write_entry(pdpt_at, directory_at | present_writable);
    write_entry(directory_at, large_page | present_writable);
  }

  void enter_long_mode() {
    kvm_sregs registers = {};
    control(vcpu_, KVM_GET_SREGS, &registers, "KVM_GET_SREGS");
    registers.cr0 = cr0_protected_paged;
    registers.cr3 = pml4_at;
    registers.cr4 = cr4_pae_sse;
    registers.efer = efer_long_mode;
    kvm_segment segment = {};  // flat
    segment.limit = 0xffffffff;
    segment.present = segment.s = segment.g = 1;
    segment.type = 3;  // data, written, accessed
    segment.selector = 0x10;
    segment.db = 1;
    registers.ds = registers.es = registers.fs = registers.gs = registers.ss = segment;
    segment.type = 11;  // code, read, accessed
    segment.selector = 0x08;
    segment.db = 0;
    segment.l = 1;
    registers.cs = segment;
    control(vcpu_, KVM_SET_SREGS, &registers, "KVM_SET_SREGS");
  }

  static std::string interruption(const Program& program, int error) {
    if (error != EINTR) return fmt::format("KVM_RUN failed: {}", std::strerror(error));
    return fmt::format("{} did not end within {} ms", program.name, program_limit_ms);
  }

  std::string wrong_exit(const Program& program) const {
    if (run_->exit_reason == KVM_EXIT_INTERNAL_ERROR) return fmt::format("it cannot run {}", program.name);
    return fmt::format("{} ended in exit {} instead of hlt", program.name, run_->exit_reason);
  }

  int vm_ = -1, vcpu_ = -1;
  std::uint8_t* memory_ = nullptr;
  kvm_run* run_ = nullptr;
};

}  // namespace

std::string disprove_kvm(int kvm) {
  try {
    Guest guest(kvm);
    for (const auto& program : programs) guest.run(program);
  } catch (const Disproof& found) {
    return found.reason;
  }
  return {};
}

}  // namespace hrvm::sys
