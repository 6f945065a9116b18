// What a compressed stream unpacks to, as a ByteStream over the one that it lies in. It takes from that one what
// belongs to the compressed stream and no byte more, so that what follows it can be read on.
//
// Memory: 256 KiB of unpacked bytes (LZ4: a block of 8 MiB and what it is packed to), and the window that the stream
// asks for: 32 KiB for gzip, 900 kB for bzip2, up to 128 MiB for zstd and xz. Streams that ask for more are
// Error{unsupported}; broken ones are Error{corrupt}.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "probe/initramfs/byte_stream.hpp"

namespace hrvm::probe {

class Decoder : public ByteStream {
 public:
  explicit Decoder(ByteStream& packed, std::size_t piece_bytes = 256 << 10) : packed_(packed), piece_(piece_bytes) {}
  std::span<const std::byte> peek() override;

 protected:
  struct Step {
    std::size_t taken = 0, made = 0;  // bytes of `in`, and of `out`
    bool ended = false;
  };
  // Unpacks a part of `in`, which is empty when no more comes.
  virtual Step decode(std::span<const std::byte> in, std::span<std::byte> out) = 0;

 private:
  void drop(std::size_t bytes) override { at_ += bytes; }
  void fill();

  ByteStream& packed_;
  std::vector<std::byte> piece_;
  std::size_t at_ = 0, filled_ = 0;
  bool ended_ = false;
};

// By the magic that `start` begins with; nullptr for what is no compression that the Linux kernel unpacks an initramfs
// from. LZO is not read.
std::unique_ptr<ByteStream> make_decoder(std::span<const std::byte> start, ByteStream& packed);

std::unique_ptr<ByteStream> decode_gzip(ByteStream& packed);
std::unique_ptr<ByteStream> decode_bzip2(ByteStream& packed);
std::unique_ptr<ByteStream> decode_xz(ByteStream& packed);
std::unique_ptr<ByteStream> decode_lzma(ByteStream& packed);
std::unique_ptr<ByteStream> decode_lz4(ByteStream& packed);
std::unique_ptr<ByteStream> decode_zstd(ByteStream& packed);

inline constexpr std::uint64_t largest_window_bytes = 128 << 20;

}  // namespace hrvm::probe
