#include "support/test_host.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"

namespace hrvm::test {

namespace {

// SplitMix64: 64 well mixed bits for each number.
std::uint64_t mix(std::uint64_t number) {
  std::uint64_t bits = (number + 1) * 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

constexpr sys::Space half_full{200 * base::GiB, 100 * base::GiB, 100 * base::GiB};

std::array<std::uint8_t, 16> draw(std::uint64_t& drawn) {
  std::array<std::uint8_t, 16> bytes{};
  const auto halves = std::as_writable_bytes(std::span(bytes));
  base::store(halves, 0, base::be64(mix(drawn++)));
  base::store(halves, 8, base::be64(mix(drawn++)));
  return bytes;
}

}  // namespace

TestHost::TestHost(std::filesystem::path root)
    : now(base::parse_time("2026-02-14T09:41:07Z").value()),
      host_{.root = std::move(root),
            .environment = {{"HOME", "/root"},
                            {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
                            {"LANG", "C.UTF-8"},
                            {"TZ", "UTC0"}},
            .uid = 0,
            .streams = {.in = in, .out = out, .err = err},
            .runner = runner,
            .now = [this] { return now; },
            .entropy = [this] { return draw(drawn_); },
            .space = [](const std::filesystem::path&) { return half_full; }} {}

void TestHost::type(const std::string& text) {
  in.str(text);
  in.clear();
}

void TestHost::use_terminal(unsigned columns) {
  host_.streams.in_is_terminal = host_.streams.out_is_terminal = host_.streams.err_is_terminal = true;
  host_.streams.columns = columns;
}

void TestHost::forget() {
  for (std::stringstream* stream : {&out, &err}) stream->str("");
  runner.calls.clear();
}

}  // namespace hrvm::test
