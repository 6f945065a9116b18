#include "cli/steps/confined_map.hpp"

#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <span>

#include "cli/steps/image_reading.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

using base::le32;
using base::le64;
using image::MapExtent;
using Kind = MapExtent::Kind;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_extents = 16384;
constexpr auto longest_part = std::chrono::seconds(5);

// An extent on its way through the pipe.
struct Wire {
  le64 offset, length, host_offset;
  le32 layer;
  std::uint8_t kind, has_host_offset;
};
static_assert(sizeof(Wire) == 30);

void append(std::string& text, const MapExtent& extent) {
  const Wire wire{extent.offset,
                  extent.length,
                  extent.host_offset.value_or(0),
                  extent.layer,
                  std::uint8_t(extent.kind),
                  extent.host_offset.has_value()};
  text.append(static_cast<const char*>(static_cast<const void*>(&wire)), sizeof wire);
}

MapExtent decode(std::string_view text) {
  const auto wire = base::load<Wire>(std::as_bytes(std::span(text)));
  MapExtent extent{wire.offset, wire.length, Kind(wire.kind), wire.layer};
  if (wire.has_host_offset) extent.host_offset = wire.host_offset;
  return extent;
}

// In the child.
std::string read_part(image::ImageMap& map, std::uint64_t from) {
  const auto deadline = Clock::now() + longest_part;
  std::vector<MapExtent> extents;
  while (from < map.virtual_bytes() && extents.size() < most_extents && Clock::now() < deadline)
    from = map.add_step(extents, from);
  std::string text;
  text.reserve(extents.size() * sizeof(Wire));
  for (const auto& extent : extents) append(text, extent);
  return text;
}

}  // namespace

sys::ConfinedRun ConfinedMap::begin(std::uint64_t from) {
  return sys::ConfinedRun([this, from] { return read_part(map_, from); });
}

// What a broken child answers is held against what an answer must be.
std::vector<MapExtent> ConfinedMap::finish(sys::ConfinedRun& run, std::uint64_t from) const {
  const auto answer = read_confined(path_, run);
  std::vector<MapExtent> extents;
  extents.reserve(answer.size() / sizeof(Wire));
  for (std::size_t at = 0; at + sizeof(Wire) <= answer.size(); at += sizeof(Wire)) {
    const auto extent = decode(std::string_view(answer).substr(at, sizeof(Wire)));
    const bool fits = extent.offset == from && extent.length != 0 && extent.length <= virtual_bytes() - from &&
                      extent.kind <= Kind::hole && extent.layer < layers().size();
    if (!fits) break;
    extents.push_back(extent);
    from = extent.end();
  }
  if (!extents.empty() && extents.size() * sizeof(Wire) == answer.size()) return extents;
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("the reader of {} gave an answer that makes no sense", path_.string()))
      .on(path_);
}

// The next part is read while one is visited.
void ConfinedMap::visit(const Visitor& visit_extents, const std::function<void()>& at_rest) {
  std::vector<MapExtent> last;  // may go on in the next part
  std::uint64_t from = 0;
  std::optional<sys::ConfinedRun> reading;
  if (from < virtual_bytes()) reading.emplace(begin(from));
  while (reading) {
    auto extents = finish(*reading, from);
    reading.reset();
    at_rest();
    from = extents.back().end();
    if (from < virtual_bytes()) reading.emplace(begin(from));
    if (!last.empty()) add_extent(last, extents.front()), extents.front() = last.back();
    if (last.size() > 1) visit_extents(std::span(last).first(1));
    last = {extents.back()};
    extents.pop_back();
    visit_extents(extents);
  }
  visit_extents(last);
}

}  // namespace hrvm::cli
