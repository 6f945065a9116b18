#include <fmt/core.h>
#include <gcrypt.h>

#include <algorithm>
#include <memory>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/fingerprint.hpp"

namespace hrvm::machine {
namespace {

constexpr std::uint64_t step_bytes = base::MiB;

struct CloseDigest {
  void operator()(gcry_md_hd_t digest) const { gcry_md_close(digest); }
};
using Digest = std::unique_ptr<std::remove_pointer_t<gcry_md_hd_t>, CloseDigest>;

Digest new_sha256() {
  gcry_check_version(nullptr);
  gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
  gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  gcry_md_hd_t digest = nullptr;
  if (const auto error = gcry_md_open(&digest, GCRY_MD_SHA256, 0))
    throw base::Error(base::ErrorKind::external, fmt::format("libgcrypt has no SHA-256: {}", gcry_strerror(error)));
  return Digest(digest);
}

std::string hex_digest(const Digest& digest) {
  const unsigned char* bytes = gcry_md_read(digest.get(), GCRY_MD_SHA256);
  std::string text;
  for (unsigned i = 0; i < gcry_md_get_algo_dlen(GCRY_MD_SHA256); ++i) text += base::hex(bytes[i], 2);
  return text;
}

// Holes are known to be zeros: they are hashed without being read.
void fill(block::BlockDevice& device, std::uint64_t offset, std::span<std::byte> out) {
  const auto extent = device.extent_at(offset);
  if (extent.kind == block::ExtentKind::zero && extent.length >= out.size())
    std::fill(out.begin(), out.end(), std::byte{0});
  else
    device.read(offset, out);
}

}  // namespace

std::string hash_base(const sys::Host& host, const probe::Disk& base, const sys::ProgressCallback& progress) {
  const auto device = block::open_device(host.path(base.path), block::Access::fresh);
  const Digest digest = new_sha256();
  std::vector<std::byte> buffer(step_bytes);
  for (std::uint64_t offset = 0; offset < device->size();) {
    const auto length = std::min(step_bytes, device->size() - offset);
    const std::span<std::byte> piece(buffer.data(), std::size_t(length));
    fill(*device, offset, piece);
    gcry_md_write(digest.get(), piece.data(), piece.size());
    offset += length;
    progress(offset);
  }
  return hex_digest(digest);
}

}  // namespace hrvm::machine
