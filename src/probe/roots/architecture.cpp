#include "probe/roots/architecture.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "probe/boot/pe_format.hpp"
#include "probe/initramfs/decoder.hpp"
#include "probe/initramfs/file_stream.hpp"

namespace hrvm::probe {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view x86_64 = "x86-64", x86 = "x86";

// Linux, include/uapi/linux/elf-em.h. Of those that come in two widths, `wide` is the one of 64 bits.
struct ElfMachine {
  std::uint16_t machine;
  std::string_view narrow, wide;
};
constexpr ElfMachine elf_machines[] = {
    {62, x86_64, x86_64},
    {3, x86, x86},
    {183, "arm64", "arm64"},
    {40, "arm", "arm"},
    {243, "riscv32", "riscv64"},
    {258, "loongarch32", "loongarch64"},
    {21, "ppc64", "ppc64"},
    {20, "ppc", "ppc"},
    {22, "s390", "s390x"},
    {8, "mips", "mips64"},
    {2, "sparc", "sparc"},
    {43, "sparc64", "sparc64"},
    {50, "ia64", "ia64"},
    {15, "parisc", "parisc64"},
    {4, "m68k", "m68k"},
    {0x9026, "alpha", "alpha"},
    {42, "sh", "sh"},
};

// Microsoft PE format, "Machine Types", as far as UEFI has them (UEFI 2.10, 2.1.1).
struct PeMachine {
  std::uint16_t machine;
  std::string_view name;
};
constexpr PeMachine pe_machines[] = {
    {pe_machine_x86_64, x86_64},
    {0x014c, x86},
    {0xaa64, "arm64"},
    {0x01c0, "arm"},
    {0x01c2, "arm"},
    {0x01c4, "arm"},
    {0x5032, "riscv32"},
    {0x5064, "riscv64"},
    {0x6232, "loongarch32"},
    {0x6264, "loongarch64"},
    {0x0200, "ia64"},
};

// Roots, and /usr, of the discoverable partitions specification.
struct PartitionOf {
  std::string_view type, name;
};
constexpr PartitionOf partitions[] = {
    {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", x86_64},        {"8484680c-9521-48c6-9c11-b0720656f69e", x86_64},
    {"44479540-f297-41b2-9af7-d131d5f0458a", x86},           {"75250d76-8cc6-458e-bd66-bd47cc81a812", x86},
    {"b921b045-1df0-41c3-af44-4c6f280d3fae", "arm64"},       {"b0e01050-ee5f-4390-949a-9101b17104e9", "arm64"},
    {"69dad710-2ce4-4e3c-b16c-21a1d49abed3", "arm"},         {"7d0359a3-02b3-4f0a-865c-654403e70625", "arm"},
    {"72ec70a6-cf74-40e6-bd49-4bda08e8f224", "riscv64"},     {"beaec34b-8442-439b-a40b-984381ed097d", "riscv64"},
    {"60d5a7fe-8e7d-435c-b714-3dd8162144e1", "riscv32"},     {"b933fb22-5c3f-4f91-af90-e2bb0fa50702", "riscv32"},
    {"77055800-792c-4f94-b39a-98c91b762bb6", "loongarch64"}, {"e611c702-575c-4cbe-9a46-434fa0bf7e3f", "loongarch64"},
    {"993d8d3d-f80e-4225-855a-9daf8ed7ea97", "ia64"},        {"4301d2a6-4e3b-4b2a-bb94-9e0b2c4225ea", "ia64"},
    {"c31c45e6-3f39-412e-80fb-4809c4980599", "ppc64"},       {"15bb03af-77e7-4d4a-b12b-c0d084f7491c", "ppc64"},
    {"912ade1d-a839-4913-8964-a10eee08fbd2", "ppc64"},       {"2c9739e2-f068-46b3-9fd0-01c5a9afbcca", "ppc64"},
    {"1de3f1ef-fa98-47b5-8dcd-4a860a654d78", "ppc"},         {"7d14fec5-cc71-415d-9d6c-06bf0b3c3eaf", "ppc"},
    {"5eead9a9-fe09-4a1e-a1d7-520d00531306", "s390x"},       {"8a4f5770-50aa-4ed3-874a-99b710db6fea", "s390x"},
    {"08a7acea-624c-4a20-91e8-6e0fa67d23f9", "s390"},        {"6523f8ae-3eb1-4e2a-a05a-18b695ae656f", "alpha"},
    {"37c58c8a-d913-4156-a25f-48b1b64e07f0", "mips"},        {"700bda43-7a34-4507-b179-eeb93d7a7ca3", "mips64"},
    {"1aacdb3b-5444-4138-bd9e-e5c2239b2346", "parisc"},      {"c50cdd70-3862-4cc3-90e1-809a8c93ee2c", "tilegx"},
    {"d27f46ed-2919-4cb8-bd25-9531f3c16534", "arc"},
};

struct ElfStart {
  std::array<char, 4> magic;
  std::uint8_t width;       // 1: 32 bits, 2: 64
  std::uint8_t byte_order;  // 1: little-endian, 2: big
  std::array<std::uint8_t, 10> rest;
  std::uint16_t type;  // in that byte order
  std::array<std::byte, 2> machine;
};
static_assert(sizeof(ElfStart) == 20 && offsetof(ElfStart, machine) == 18);

// Marks of kernels that are no ELF and may be no PE either. Linux: Documentation/arch/x86/boot.rst, arm64/booting.rst,
// riscv/boot-image-header.rst, arch/arm/boot/compressed/head.S.
struct Mark {
  std::size_t offset;
  std::string_view bytes, name;
};
constexpr Mark marks[] = {
    {0x202, "HdrS", x86_64},
    {56, std::string_view("ARM\x64", 4), "arm64"},
    {48, "RISCV", "riscv64"},
    {0x24, std::string_view("\x18\x28\x6f\x01", 4), "arm"},
};

// U-Boot's legacy image: include/image.h has the numbers.
constexpr std::string_view uboot_magic("\x27\x05\x19\x56", 4);
constexpr std::size_t uboot_machine_at = 29;
constexpr PeMachine uboot_machines[] = {{2, "arm"}, {3, x86},      {5, "mips"},  {6, "mips64"},
                                        {7, "ppc"}, {22, "arm64"}, {24, x86_64}, {26, "riscv64"}};

constexpr std::size_t looked_at = 4096;  // of a kernel
constexpr std::uint32_t farthest_pe = 1024;

template <typename Table, typename Key, typename Member>
const auto* find_in(const Table& table, const Key& key, Member member) {
  const auto found = std::ranges::find(table, key, member);
  return found == std::end(table) ? nullptr : &*found;
}

bool has_at(Bytes bytes, std::size_t offset, std::string_view text) {
  if (bytes.size() < offset + text.size()) return false;
  return std::ranges::equal(bytes.subspan(offset, text.size()), std::as_bytes(std::span(text)));
}

std::string_view of_pe(Bytes start) {
  if (!has_at(start, 0, dos_magic) || start.size() < pe_place + 4) return {};
  const std::uint32_t header = base::load<base::le32>(start, pe_place);
  if (header > farthest_pe || !has_at(start, header, pe_magic) || start.size() < header + 6) return {};
  return architecture_of_pe(base::load<base::le16>(start, header + 4));
}

std::string_view of_kernel_start(Bytes start) {
  for (const Mark& mark : marks)
    if (has_at(start, mark.offset, mark.bytes)) return mark.name;
  if (has_at(start, 0, uboot_magic) && start.size() > uboot_machine_at) {
    const auto* known =
        find_in(uboot_machines, std::to_integer<std::uint16_t>(start[uboot_machine_at]), &PeMachine::machine);
    return known ? known->name : std::string_view();
  }
  if (const auto name = of_pe(start); !name.empty()) return name;
  return architecture_of_elf(start);
}

std::string read_start(fs::FileSystem& files, const std::string& path, std::size_t bytes) {
  const auto place = fs::resolve(files, path);
  const auto info = place ? files.info(*place) : std::nullopt;
  return info && info->kind == fs::FileKind::regular ? files.read(*place, 0, bytes) : std::string();
}

// Kernels of the first Debians for arm64 were packed as a whole.
std::string_view of_packed_kernel(fs::FileSystem& files, const std::string& path) {
  const auto place = fs::resolve(files, path);
  const auto info = place ? files.info(*place) : std::nullopt;
  if (!info) return {};
  FileStream file(files, *place, 0, info->size_bytes);
  const auto decoder = make_decoder(file.peek(6), file);
  if (!decoder) return {};
  std::array<std::byte, looked_at> start{};
  return of_kernel_start(Bytes(start).first(decoder->read(start)));
}

constexpr const char* programs[] = {
    "/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/bin/sh", "/usr/bin/env", "/init"};
constexpr const char* windows_kernel = "/Windows/System32/ntoskrnl.exe";
constexpr std::string_view kernel_names[] = {"vmlinuz", "vmlinux", "Image", "zImage", "uImage", "bzImage", "kernel"};
constexpr unsigned most_kernels = 8;

}  // namespace

std::string_view architecture_of_elf(Bytes start) {
  if (start.size() < sizeof(ElfStart) || !has_at(start, 0,
                                                 "\x7f"
                                                 "ELF"))
    return {};
  const auto elf = base::load<ElfStart>(start);
  const auto low = std::to_integer<std::uint16_t>(elf.machine[elf.byte_order == 2 ? 1 : 0]),
             high = std::to_integer<std::uint16_t>(elf.machine[elf.byte_order == 2 ? 0 : 1]);
  const auto* known = find_in(elf_machines, std::uint16_t(high << 8 | low), &ElfMachine::machine);
  if (known == nullptr) return {};
  return elf.width == 2 ? known->wide : known->narrow;
}

std::string_view architecture_of_pe(std::uint16_t machine) {
  const auto* known = find_in(pe_machines, machine, &PeMachine::machine);
  return known ? known->name : std::string_view();
}

std::string_view architecture_of_partition(std::string_view type) {
  const auto* known = find_in(partitions, type, &PartitionOf::type);
  return known ? known->name : std::string_view();
}

// The header may lie behind much of a stub: of a kernel that is its own loader.
std::string_view architecture_of_efi(fs::FileSystem& files, const std::string& path) {
  const std::string start = files.read(path, 0, pe_place + 4);
  if (start.size() < pe_place + 4 || !start.starts_with(dos_magic)) return {};
  const std::uint32_t header = base::load<base::le32>(std::as_bytes(std::span(start)), pe_place);
  const std::string pe = files.read(path, header, pe_magic.size() + 2);
  if (pe.size() < pe_magic.size() + 2 || !pe.starts_with(pe_magic)) return {};
  return architecture_of_pe(base::load<base::le16>(std::as_bytes(std::span(pe)), pe_magic.size()));
}

std::string_view architecture_of_kernel(fs::FileSystem& files, const std::string& path) try {
  const std::string start = read_start(files, path, looked_at);
  if (const auto name = of_kernel_start(std::as_bytes(std::span(start))); !name.empty()) return name;
  return start.starts_with("\x1f\x8b") ? of_packed_kernel(files, path) : std::string_view();
} catch (const base::Error&) {
  return {};  // what is broken there is reported by who needs it
}

std::string_view architecture_of_root(fs::FileSystem& root) try {
  for (const char* program : programs) {
    const std::string start = read_start(root, program, sizeof(ElfStart));
    if (const auto name = architecture_of_elf(std::as_bytes(std::span(start))); !name.empty()) return name;
  }
  if (const auto kernel = fs::resolve(root, windows_kernel)) return architecture_of_efi(root, *kernel);
  return architecture_of_kernels(root, "/boot");
} catch (const base::Error&) {
  return {};
}

std::string_view architecture_of_kernels(fs::FileSystem& files, std::string_view folder) try {
  const auto path = fs::resolve(files, folder);
  const auto info = path ? files.info(*path) : std::nullopt;
  if (!info || info->kind != fs::FileKind::directory) return {};
  unsigned looked = 0;
  for (const fs::Entry& entry : files.list(*path)) {
    const auto is_named = [&](std::string_view name) { return entry.name.starts_with(name); };
    if (entry.kind == fs::FileKind::directory || std::ranges::none_of(kernel_names, is_named)) continue;
    const std::string whole = (*path == "/" ? "" : *path) + "/" + entry.name;
    if (const auto name = architecture_of_kernel(files, whole); !name.empty()) return name;
    if (++looked == most_kernels) break;
  }
  return {};
} catch (const base::Error&) {
  return {};
}

bool is_foreign(std::string_view architecture) {
  return !architecture.empty() && architecture != x86_64 && architecture != x86;
}

}  // namespace hrvm::probe
