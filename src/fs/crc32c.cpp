#include "fs/crc32c.hpp"

#include <cstring>

#include "hrvm/base/crc32.hpp"

namespace hrvm::fs {
namespace {

constexpr auto portable = base::crc32_register<base::CrcPolynomial::castagnoli>;

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t crc, std::span<const std::byte> bytes) {
  std::uint64_t sum = crc;
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    sum = __builtin_ia32_crc32di(sum, word);
  }
  return portable(std::uint32_t(sum), bytes);
}
#endif

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
#ifdef __x86_64__
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return by_instruction(crc, bytes);
#endif
  return portable(crc, bytes);
}

}  // namespace hrvm::fs
