#include <nettle/sha2.h>

#include <algorithm>
#include <array>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/layers.hpp"

namespace hrvm::machine {
namespace {

constexpr std::uint64_t step_bytes = base::MiB;

class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  void add(std::span<const std::byte> bytes) {
    sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  }
  std::string hex() {
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest;
    sha256_digest(&context_, digest.size(), digest.data());
    std::string text;
    for (const auto byte : digest) text += base::hex(byte, 2);
    return text;
  }

 private:
  sha256_ctx context_;
};

// Holes are known to be zeros: they are hashed without being read.
void fill(block::BlockDevice& device, std::uint64_t offset, std::span<std::byte> out) {
  const auto extent = device.extent_at(offset);
  if (extent.kind == block::ExtentKind::zero && extent.length >= out.size())
    std::fill(out.begin(), out.end(), std::byte{0});
  else
    device.read(offset, out);
}

std::string hash_device(block::BlockDevice& device, const sys::ProgressCallback& progress) {
  Sha256 digest;
  std::vector<std::byte> buffer(step_bytes);
  for (std::uint64_t offset = 0; offset < device.size();) {
    const auto length = std::min(step_bytes, device.size() - offset);
    const std::span<std::byte> piece(buffer.data(), std::size_t(length));
    fill(device, offset, piece);
    digest.add(piece);
    offset += length;
    progress(offset);
  }
  return digest.hex();
}

}  // namespace

std::string hash_file(const Path& file, const sys::ProgressCallback& progress) {
  return hash_device(*block::open_device(file), progress);
}

std::string hash_base(const sys::Host& host, const probe::Disk& base, const sys::ProgressCallback& progress) {
  if (base.kind == probe::DiskKind::directory)
    throw base::Error(base::ErrorKind::unsupported, base.path + " is a folder, and of those no SHA-256 is taken")
        .on(base.path)
        .hint("hrvm verify compares what is known of each of its files");
  return hash_device(*open_base(host, base), progress);
}

}  // namespace hrvm::machine
