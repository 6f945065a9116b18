// What a reader of files says through its pipe, made of the fuzzer's bytes: each part is its length in a byte or, from
// 255 on, in two more, and so many bytes. An archive is made of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/tree_sinks.hpp"

using namespace hrvm;

namespace {

constexpr std::size_t most_archived = 1 << 20;  // a hole can be as long as a file

std::size_t take_length(std::string_view& left) {
  const auto byte = [&](std::size_t at) { return std::size_t(static_cast<unsigned char>(left[at])); };
  std::size_t length = byte(0);
  std::size_t header = 1;
  if (length == 255 && left.size() >= 3) {
    length = byte(1) | byte(2) << 8;
    header = 3;
  }
  left.remove_prefix(header);
  return std::min(length, left.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view left(reinterpret_cast<const char*>(data), size);
  std::size_t archived = 0;
  const auto write = [&](std::string_view bytes) {
    if ((archived += bytes.size()) > most_archived) throw base::Error(base::ErrorKind::io, "enough");
  };
  fs::TarSink sink(write, {true, true}, [](std::string_view, std::string_view) {});
  fs::TreeReceiver receiver(sink);
  try {
    while (!left.empty()) {
      const auto length = take_length(left);
      receiver.take(left.substr(0, length));
      left.remove_prefix(length);
    }
    sink.finish();
  } catch (const base::Error&) {
  }
  return 0;
}
