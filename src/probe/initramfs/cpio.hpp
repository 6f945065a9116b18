// cpio archives of the kinds that the Linux kernel unpacks (newc and crc; Documentation/driver-api/early-userspace/
// buffer-format.rst), read from a stream without holding them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "probe/initramfs/byte_stream.hpp"

namespace hrvm::probe {

struct CpioEntry {
  std::string name;  // without "./" and "/" before it
  std::uint32_t mode = 0;
  std::uint32_t size_bytes = 0;
  bool is_regular() const { return (mode & 0170000) == 0100000; }
};

class CpioReader {
 public:
  explicit CpioReader(ByteStream& stream) : stream_(stream) {}

  // The next entry of this archive, and of those that follow it in the stream with nothing but zeros between them.
  // nullopt at the stream's end, and before bytes that are no such archive. Error{corrupt} when it is broken.
  std::optional<CpioEntry> next();
  // What the entry that was given last holds, at most so much of it. Once only.
  std::string body(std::size_t most);

 private:
  using Header = std::array<std::byte, 110>;
  bool find_header();
  Header read_header();
  std::string read_name(std::uint32_t size_bytes);

  ByteStream& stream_;
  std::uint64_t left_ = 0;  // of the entry's body, padding included
  bool is_open_ = false;    // an archive began, and its trailer did not come yet
};

}  // namespace hrvm::probe
