#include "launch/run/memory_feed.hpp"

#include <fmt/core.h>

#include <deque>
#include <span>
#include <string>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/full_hash.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

namespace {

constexpr std::size_t at_once = base::MiB;
// More than what QEMU adds behind the state of the last device, a description of it all that nobody needs.
constexpr std::size_t held_back = 8 * base::MiB;
constexpr std::chrono::minutes patience{10};  // of a QEMU that reads nothing

machine::Path mark_of(const LaunchPlan& plan) { return plan.control.run_folder / "memory-differs"; }

void feed(block::BlockDevice& file, sys::UnixSocket& qemu, const LaunchPlan& plan) {
  machine::Sha256Stream digest;
  std::deque<std::string> held;
  for (std::uint64_t offset = 0; offset < file.size();) {
    auto& piece = held.emplace_back(std::size_t(std::min<std::uint64_t>(at_once, file.size() - offset)), '\0');
    file.read(offset, std::as_writable_bytes(std::span(piece)));
    digest.add(std::as_bytes(std::span(piece)));
    offset += piece.size();
    for (; held.size() > held_back / at_once; held.pop_front()) qemu.send(held.front(), patience);
  }
  if (digest.hex() != plan.memory->sha256) return sys::make_directories(mark_of(plan), 0700, sys::Durability::later);
  for (const auto& piece : held) qemu.send(piece, patience);
}

}  // namespace

sys::Fd feed_memory(const LaunchPlan& plan) {
  sys::remove_all(mark_of(plan));
  auto [ours, theirs] = sys::make_socket_pair();
  const auto path = sys::canonical(plan.memory->file);
  const auto work = [&, socket = &ours] { feed(*block::open_device(path), *socket, plan); };
  sys::run_in_background(work, {ours.fd()});
  return std::move(theirs);
}

std::optional<base::Error> memory_differs(const LaunchPlan& plan) {
  if (!plan.memory || sys::link_status(mark_of(plan)).type == sys::FileType::missing) return std::nullopt;
  return base::Error(
             base::ErrorKind::corrupt,
             fmt::format("the memory of {}, {}, has another SHA-256 than what was saved: its guest does not go on",
                         plan.memory->snapshot, plan.memory->file.string()))
      .on(plan.memory->file)
      .hint(fmt::format("restore the file, or boot without it: hrvm boot {}", plan.memory->snapshot));
}

}  // namespace hrvm::launch
