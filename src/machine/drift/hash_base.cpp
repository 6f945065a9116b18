#include <nettle/sha2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/full_hash.hpp"
#include "hrvm/machine/layers.hpp"

namespace hrvm::machine {
namespace {

constexpr std::uint64_t step_bytes = base::MiB;
constexpr std::chrono::seconds note_interval{30};
constexpr std::size_t largest_note = base::MiB, digits_of_word = 8;

class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  // As it stands after so many bytes, a multiple of its block: "6a09e667…", eight words of eight digits.
  static std::optional<Sha256> after(std::uint64_t bytes, std::string_view words) {
    Sha256 sha256;
    if (bytes % SHA256_BLOCK_SIZE != 0 || words.size() != std::size(sha256.context_.state) * digits_of_word)
      return std::nullopt;
    for (auto& word : sha256.context_.state) {
      const auto* const end = words.data() + digits_of_word;
      if (std::from_chars(words.data(), end, word, 16).ptr != end) return std::nullopt;
      words.remove_prefix(digits_of_word);
    }
    sha256.context_.count = bytes / SHA256_BLOCK_SIZE;
    return sha256;
  }
  std::string words() const {
    std::string text;
    for (const auto word : context_.state) text += base::hex(word, digits_of_word);
    return text;
  }
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

// A hash that has come so far.
struct Hashing {
  std::uint64_t offset = 0;
  Sha256 digest = {};
};

std::string hash_device(block::BlockDevice& device, const sys::ProgressCallback& progress, Hashing& hashing) {
  std::vector<std::byte> buffer(step_bytes);
  while (hashing.offset < device.size()) {
    const auto length = std::min(step_bytes, device.size() - hashing.offset);
    const std::span<std::byte> piece(buffer.data(), std::size_t(length));
    fill(device, hashing.offset, piece);
    hashing.digest.add(piece);
    hashing.offset += length;
    progress(hashing.offset);
  }
  return hashing.digest.hex();
}

std::string hash_device(block::BlockDevice& device, const sys::ProgressCallback& progress) {
  Hashing hashing;
  return hash_device(device, progress, hashing);
}

std::unique_ptr<block::BlockDevice> open_to_hash(const sys::Host& host, const probe::Disk& base) {
  if (base.kind != probe::DiskKind::directory) return open_base(host, base);
  throw base::Error(base::ErrorKind::unsupported, base.path + " is a folder, and of those no SHA-256 is taken")
      .on(base.path)
      .hint("hrvm verify compares what is known of each of its files");
}

// A place where a disk lies is part of it: another one may have the same fingerprint.
void write_note(const Path& note, const probe::Disk& base, const Fingerprint& now, const Hashing& hashing) {
  if (hashing.offset % step_bytes != 0) return;  // the end of it: another moment, and it is done
  try {
    sys::make_directories(note.parent_path());
    base::Json json;
    json.set("path", base.path).set("size_bytes", base.size_bytes).set("fingerprint", to_json(now));
    json.set("offset", hashing.offset).set("sha256", hashing.digest.words());
    sys::AtomicFile file(note);
    file.write(base::to_text(json, -1));
    file.commit();
  } catch (const base::Error&) {
    // A store that cannot be written: it begins anew.
  }
}

bool is_unwritten_since(const Fingerprint& then, const Fingerprint& now) {
  const auto traces = compare_traces(then, now);
  const auto tells = [](const MarkComparison& trace) { return trace.is_known && trace.same; };
  return std::ranges::all_of(compare(then, now), &MarkComparison::same) && !traces.empty() &&
         std::ranges::all_of(traces, tells);
}

std::optional<Hashing> noted(const Path& note, const probe::Disk& base, const Fingerprint& now) {
  const auto text = sys::try_read_file(note, largest_note);
  if (!text) return std::nullopt;
  try {
    const auto json = base::parse_json(*text, note.string());
    const auto offset = json["offset"].unsigned_integer();
    const bool is_same_disk =
        json["path"].text() == base.path && json["size_bytes"].unsigned_integer() == base.size_bytes;
    if (!offset || !is_same_disk || *offset % step_bytes != 0 || *offset > base.size_bytes) return std::nullopt;
    if (!is_unwritten_since(fingerprint_from_json(json["fingerprint"], note.string()), now)) return std::nullopt;
    auto digest = Sha256::after(*offset, json["sha256"].text().value_or(""));
    return digest ? std::optional(Hashing{*offset, *digest}) : std::nullopt;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string hash_file(const Path& file, const sys::ProgressCallback& progress) {
  return hash_device(*block::open_device(file), progress);
}

std::string hash_base(const sys::Host& host, const probe::Disk& base, const sys::ProgressCallback& progress) {
  return hash_device(*open_to_hash(host, base), progress);
}

// An interruption comes by `progress`, when what it tells of is hashed.
std::string hash_base_on(const sys::Host& host, const probe::Disk& base, const Fingerprint& now, const Path& note,
                         const sys::ProgressCallback& progress) {
  const auto device = open_to_hash(host, base);
  auto hashing = noted(note, base, now).value_or(Hashing{});
  auto noted_at = std::chrono::steady_clock::now();
  const auto keep_note = [&](std::uint64_t done) {
    if (std::chrono::steady_clock::now() - noted_at >= note_interval) {
      write_note(note, base, now, hashing);
      noted_at = std::chrono::steady_clock::now();
    }
    progress(done);
  };
  try {
    const auto hash = hash_device(*device, keep_note, hashing);
    sys::remove_all(note);
    return hash;
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) write_note(note, base, now, hashing);
    throw;
  }
}

Path hashing_note(const Machine& machine, std::size_t disk) {
  return machine.folder / "hashing" / std::to_string(disk + 1);
}

struct Sha256Stream::State {
  Sha256 digest;
};
Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;
void Sha256Stream::add(std::span<const std::byte> bytes) { state_->digest.add(bytes); }
std::string Sha256Stream::hex() { return state_->digest.hex(); }

std::string sha256_of(std::string_view text) {
  Sha256 digest;
  digest.add(std::as_bytes(std::span(text)));
  return digest.hex();
}

}  // namespace hrvm::machine
