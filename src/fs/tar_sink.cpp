#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <fmt/core.h>

#include "hrvm/fs/tar_format.hpp"
#include "hrvm/fs/tree_sinks.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::fs {
namespace {

constexpr std::size_t block_bytes = sizeof(TarHeader), most_linked = 1 << 20;
constexpr std::uint64_t most_octal_11 = 077777777777, most_octal_7 = 07777777;

template <std::size_t size>
void put(std::array<char, size>& field, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), size), field.begin());
}

template <std::size_t size>
void put_octal(std::array<char, size>& field, std::uint64_t value) {
  put(field, fmt::format("{:0{}o}", value, size - 1));
}

std::string_view bytes_of(const TarHeader& header) {
  return {static_cast<const char*>(static_cast<const void*>(&header)), sizeof header};
}

void seal(TarHeader& header) {
  header.checksum.fill(' ');
  unsigned sum = 0;
  for (const char c : bytes_of(header)) sum += static_cast<unsigned char>(c);
  put(header.checksum, fmt::format("{:06o}", sum));
  header.checksum[6] = '\0';
}

// "LENGTH KEY=VALUE\n", where the length counts itself.
std::string record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length) length = fmt::formatted_size("{}", length) + rest;
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string time_text(const Time& time) {
  if (time.seconds >= 0) return fmt::format("{}.{:09}", time.seconds, time.nanoseconds);
  // Nanoseconds count forward, and a fraction of a negative number backward.
  const auto borrowed = time.nanoseconds == 0 ? 0u : 1'000'000'000u - time.nanoseconds;
  const auto whole = time.seconds + (time.nanoseconds == 0 ? 0 : 1);
  return fmt::format("{}{}.{:09}", whole == 0 ? "-" : "", whole, borrowed);
}

struct KindType {
  FileKind kind;
  char type;
};
constexpr std::array types{KindType{FileKind::regular, '0'},          KindType{FileKind::symlink, '2'},
                           KindType{FileKind::character_device, '3'}, KindType{FileKind::block_device, '4'},
                           KindType{FileKind::directory, '5'},        KindType{FileKind::fifo, '6'}};

}  // namespace

struct TarSink::Member {
  const StreamedFile& file;
  char type = '0';
  std::string path, link;
  std::uint64_t size = 0;
};

TarSink::TarSink(std::function<void(std::string_view)> write, const CopyWishes& wishes, TellFailure tell)
    : write_(std::move(write)), wishes_(wishes), tell_(std::move(tell)) {}

std::string TarSink::path_of(const StreamedFile& file) const {
  if (name_.empty()) return file.path.empty() ? "." : file.path;
  return file.path.empty() ? name_ : name_ + "/" + file.path;
}

void TarSink::begin(const StreamedFile& file) {
  const auto type = std::ranges::find(types, file.stat.kind, &KindType::kind);
  const bool is_plain = file.stat.kind == FileKind::regular || file.stat.kind == FileKind::directory ||
                        file.stat.kind == FileKind::symlink;
  written_ = 0;
  is_link_ = false;
  if (type == types.end() || (!is_plain && !wishes_.special)) {
    ++count_.left_out;
    return;
  }
  ++count_.files;
  Member member{file, type->type, path_of(file), file.target};
  if (file.stat.kind == FileKind::regular) {
    member.size = file.stat.size_bytes;
    const std::pair key(name_, file.stat.node);
    if (const auto known = linked_.find(key); file.stat.links > 1 && known != linked_.end()) {
      is_link_ = true;
      member.type = '1';
      member.link = known->second;
      member.size = 0;
    } else if (file.stat.links > 1 && linked_.size() < most_linked) {
      linked_.emplace(key, member.path);
    }
  }
  if (file.stat.kind == FileKind::directory) member.path += "/";
  write_member(member);
}

void TarSink::write_member(const Member& member) {
  const Stat& stat = member.file.stat;
  std::string records;
  TarHeader header;
  put(header.name, member.path);
  put(header.link, member.link);
  if (member.path.size() > header.name.size()) records += record("path", member.path);
  if (member.link.size() > header.link.size()) records += record("linkpath", member.link);
  const auto number = [&](auto& field, std::string_view key, std::uint64_t value, std::uint64_t most) {
    put_octal(field, value <= most ? value : 0);
    if (value > most) records += record(key, fmt::format("{}", value));
  };
  number(header.size, "size", member.size, most_octal_11);
  number(header.user, "uid", wishes_.owners ? stat.uid : 0, most_octal_7);
  number(header.group, "gid", wishes_.owners ? stat.gid : 0, most_octal_7);
  const auto seconds = stat.times.modified.seconds;
  const bool is_whole = stat.times.modified.nanoseconds == 0 && seconds >= 0 && std::uint64_t(seconds) <= most_octal_11;
  put_octal(header.modified, std::uint64_t(std::clamp<std::int64_t>(seconds, 0, std::int64_t(most_octal_11))));
  if (!is_whole) records += record("mtime", time_text(stat.times.modified));
  put_octal(header.mode, wishes_.special || stat.kind == FileKind::directory ? stat.mode : stat.mode & 01777);
  put_octal(header.device_major, std::min<std::uint64_t>(stat.device.major, most_octal_7));
  put_octal(header.device_minor, std::min<std::uint64_t>(stat.device.minor, most_octal_7));
  if (member.type != '1')
    for (const auto& attribute : member.file.attributes)
      if (attribute.name != "security.capability" || wishes_.special)
        records += record("SCHILY.xattr." + attribute.name, attribute.value);
  header.type = member.type;
  seal(header);
  if (!records.empty()) {
    TarHeader extended;
    put(extended.name, "././@PaxHeader");
    put_octal(extended.mode, 0644);
    put_octal(extended.user, 0);
    put_octal(extended.group, 0);
    put_octal(extended.size, records.size());
    put_octal(extended.modified, 0);
    extended.type = 'x';
    seal(extended);
    write_(bytes_of(extended));
    write_(records);
    write_zeros((block_bytes - records.size() % block_bytes) % block_bytes);
  }
  write_(bytes_of(header));
}

void TarSink::write_zeros(std::uint64_t count) {
  static const std::string zeros(64 << 10, '\0');
  while (count > 0) {
    sys::check_interrupted();  // a hole is as long as a disk likes
    const auto length = std::size_t(std::min<std::uint64_t>(count, zeros.size()));
    write_(std::string_view(zeros).substr(0, length));
    count -= length;
  }
}

// What comes is in order; a hole is written as what it reads as.
void TarSink::data(std::uint64_t offset, std::string_view bytes) {
  if (is_link_ || offset < written_) return;
  write_zeros(offset - written_);
  write_(bytes);
  written_ = offset + bytes.size();
  count_.bytes += bytes.size();
}

void TarSink::end(const StreamedFile& file) {
  if (file.stat.kind != FileKind::regular || is_link_) return;
  write_zeros(file.stat.size_bytes - written_);
  write_zeros((block_bytes - file.stat.size_bytes % block_bytes) % block_bytes);
}

void TarSink::failed(std::string_view path, std::string_view message) {
  ++count_.failed;
  tell_(path.empty() ? "." : path, message);
}

void TarSink::finish() { write_zeros(2 * block_bytes); }

}  // namespace hrvm::fs
