// For which processors programs, EFI programs, kernels and partitions are made.
#include "probe/roots/architecture.hpp"

#include <catch2/catch.hpp>

#include "hrvm/sys/files.hpp"
#include "support/executables.hpp"
#include "support/memory_files.hpp"
#include "support/recorded_disks.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

std::string_view of_elf(const std::string& bytes) { return architecture_of_elf(std::as_bytes(std::span(bytes))); }

std::string kernel_with(std::size_t offset, std::string_view mark) {
  std::string kernel(1024, '\0');
  return kernel.replace(offset, mark.size(), mark);
}

std::string gzip(const std::string& bytes) {
  const test::TemporaryDirectory folder;
  folder.write("kernel", bytes);
  test::run_program({"gzip", (folder / "kernel").string()});
  return sys::read_file(folder / "kernel.gz", 1 << 20);
}

}  // namespace

TEST_CASE("a program is of the processor that its ELF header names, in either byte order and width") {
  CHECK(of_elf(test::elf(62)) == "x86-64");
  CHECK(of_elf(test::elf(3, 1)) == "x86");
  CHECK(of_elf(test::elf(183)) == "arm64");
  CHECK(of_elf(test::elf(243)) == "riscv64");
  CHECK(of_elf(test::elf(243, 1)) == "riscv32");
  CHECK(of_elf(test::elf(22, 2, 2)) == "s390x");
  CHECK(of_elf(test::elf(0x1234)).empty());
  CHECK(of_elf("#!/bin/sh\necho is no program\n").empty());
  CHECK(of_elf("\x7f"
               "ELF")
            .empty());
}

TEST_CASE("a root is of the processor of its init, which links lead to, or of its shell") {
  test::MemoryFiles merged;
  merged.add("/usr/lib/systemd/systemd", test::elf(183)).link("/sbin", "usr/sbin");
  merged.link("/usr/sbin/init", "../lib/systemd/systemd");
  CHECK(architecture_of_root(merged) == "arm64");
  test::MemoryFiles script;
  script.add("/sbin/init", "#!/bin/sh\n").add("/bin/busybox", test::elf(40, 1)).link("/bin/sh", "busybox");
  CHECK(architecture_of_root(script) == "arm");
  test::MemoryFiles none;
  CHECK(architecture_of_root(none.add("/sbin/init", "")).empty());
}

TEST_CASE("a Windows is of the processor of its kernel") {
  test::MemoryFiles root(test::Names::ignoring_case);
  CHECK(architecture_of_root(root.add("/WINDOWS/system32/ntoskrnl.exe", test::pe_file(0xaa64))) == "arm64");
}

TEST_CASE("a root whose init says nothing is of the processor of its kernel, packed or not") {
  for (const auto& [kernel, name] : {std::pair{kernel_with(56, "ARM\x64"), "arm64"},
                                     {kernel_with(48, "RISCV"), "riscv64"},
                                     {kernel_with(0x24, "\x18\x28\x6f\x01"), "arm"},
                                     {kernel_with(0x202, "HdrS"), "x86-64"},
                                     {test::pe_file(0x6264), "loongarch64"},
                                     {test::elf(21), "ppc64"},
                                     {gzip(kernel_with(56, "ARM\x64")), "arm64"}}) {
    test::MemoryFiles root;
    root.add("/boot/config-6.1.0", "CONFIG_X=y\n").add("/boot/vmlinuz-6.1.0", kernel);
    CHECK(architecture_of_root(root) == name);
  }
  test::MemoryFiles root;
  CHECK(architecture_of_root(root.add("/boot/vmlinuz-6.1.0", "stand-in for a kernel")).empty());
}

TEST_CASE("a loader is of the processor that its PE header names") {
  test::MemoryFiles files;
  files.add("/a", test::pe_file(0xaa64)).add("/b", test::pe_file(0x8664)).add("/c", "MZ");
  CHECK(architecture_of_efi(files, "/a") == "arm64");
  CHECK(architecture_of_efi(files, "/b") == "x86-64");
  CHECK(architecture_of_efi(files, "/c").empty());
}

TEST_CASE("a machine runs what is x86, and what is not known is not foreign") {
  CHECK_FALSE(is_foreign("x86-64"));
  CHECK_FALSE(is_foreign("x86"));
  CHECK_FALSE(is_foreign(""));
  CHECK(is_foreign("arm64"));
  CHECK(is_foreign(architecture_of_partition("72ec70a6-cf74-40e6-bd49-4bda08e8f224")));
  CHECK_FALSE(is_foreign(architecture_of_partition("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")));
}
