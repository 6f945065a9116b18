#include "hrvm/fs/tree_stream.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/walk.hpp"

namespace hrvm::fs {
namespace {

using base::Error;
using base::ErrorKind;
using base::le16;
using base::le32;
using base::le64;

// The first byte of a part.
enum class Tag : char { begin = 'B', data = 'D', end = 'E', failed = 'X' };

constexpr std::size_t data_at_once = 256 << 10, deepest = deepest_walk + 1, longest_path = 1 << 20,
                      most_attributes = 1024;

// ---- numbers and texts, as they lie in a part ----

class Packer {
 public:
  explicit Packer(Tag tag) : part_(1, char(tag)) {}
  template <typename T>
  Packer& number(std::uint64_t value) {
    const T packed(static_cast<decltype(T() + 0)>(value));
    part_.append(static_cast<const char*>(static_cast<const void*>(&packed)), sizeof packed);
    return *this;
  }
  Packer& text(std::string_view value) {
    number<le32>(value.size());
    part_ += value;
    return *this;
  }
  Packer& bytes(std::string_view value) {
    part_ += value;
    return *this;
  }
  const std::string& part() const { return part_; }

 private:
  std::string part_;
};

Error senseless() { return Error(ErrorKind::corrupt, "what the reader of the files says makes no sense"); }

class Unpacker {
 public:
  explicit Unpacker(std::string_view part) : left_(part) {}
  template <typename T>
  std::uint64_t number() {
    return base::load<T>(std::as_bytes(std::span(take(sizeof(T)))));
  }
  std::string_view text() { return take(number<le32>()); }
  std::string_view rest() { return left_; }

 private:
  std::string_view take(std::size_t length) {
    if (length > left_.size()) throw senseless();
    const auto taken = left_.substr(0, length);
    left_.remove_prefix(length);
    return taken;
  }
  std::string_view left_;
};

void pack(Packer& packer, const Time& time) {
  packer.number<le64>(std::uint64_t(time.seconds)).number<le32>(time.nanoseconds);
}
Time unpack_time(Unpacker& unpacker) {
  const auto seconds = std::int64_t(unpacker.number<le64>());
  return {seconds, std::uint32_t(std::min<std::uint64_t>(unpacker.number<le32>(), 999'999'999))};
}

void pack(Packer& packer, const Stat& stat) {
  packer.number<le64>(stat.node.tree).number<le64>(stat.node.id).number<le64>(stat.node.generation);
  packer.number<le16>(std::uint64_t(stat.kind)).number<le32>(stat.mode).number<le32>(stat.uid).number<le32>(stat.gid);
  packer.number<le64>(stat.links).number<le32>(stat.device.major).number<le32>(stat.device.minor);
  packer.number<le64>(stat.size_bytes);
  pack(packer, stat.times.modified);
}

Stat unpack_stat(Unpacker& unpacker) {
  Stat stat;
  stat.node.tree = unpacker.number<le64>();
  stat.node.id = unpacker.number<le64>();
  stat.node.generation = unpacker.number<le64>();
  stat.kind = FileKind(std::min<std::uint64_t>(unpacker.number<le16>(), std::uint64_t(FileKind::other)));
  stat.mode = std::uint32_t(unpacker.number<le32>()) & 07777;
  stat.uid = std::uint32_t(unpacker.number<le32>());
  stat.gid = std::uint32_t(unpacker.number<le32>());
  stat.links = unpacker.number<le64>();
  stat.device.major = std::uint32_t(unpacker.number<le32>());
  stat.device.minor = std::uint32_t(unpacker.number<le32>());
  stat.size_bytes = unpacker.number<le64>();
  stat.times.modified = unpack_time(unpacker);
  return stat;
}

// ---- in the child ----

class Sender : public WalkVisitor {
 public:
  Sender(FileSystem& files, const StreamWriter& write) : files_(files), write_(write) {}

  WalkStep enter(const WalkedFile& file) override {
    std::string target;
    if (file.stat.kind == FileKind::symlink) try {
        target = files_.read_link(file.stat.node);
      } catch (const Error& error) {
        failed(file.path, error);
        return WalkStep::go_on;
      }
    std::optional<Error> lacks;
    Packer packer(Tag::begin);
    packer.text(file.path.substr(std::min<std::size_t>(1, file.path.size())));
    pack(packer, file.stat);
    packer.text(target);
    pack_attributes(packer, file.stat.node, lacks);
    write_(packer.part());
    if (lacks) failed(file.path, *lacks);
    if (file.stat.kind == FileKind::regular) send_data(file);
    return WalkStep::go_on;
  }
  void leave(const WalkedFile&) override { write_(Packer(Tag::end).part()); }
  void failed(std::string_view path, const Error& error) override {
    write_(Packer(Tag::failed).text(path.substr(std::min<std::size_t>(1, path.size()))).text(error.message()).part());
  }

 private:
  // A file without them is worth more than none.
  void pack_attributes(Packer& packer, Node node, std::optional<Error>& lacks) {
    std::vector<Attribute> attributes;
    try {
      attributes = files_.attributes(node);
    } catch (const Error& error) {
      lacks = error;
    }
    attributes.resize(std::min(attributes.size(), most_attributes));
    packer.number<le16>(attributes.size());
    for (const auto& attribute : attributes) packer.text(attribute.name).text(attribute.value);
  }

  // What cannot be read of one file costs the rest of that one.
  void send_data(const WalkedFile& file) {
    try {
      for (std::uint64_t offset = 0; offset < file.stat.size_bytes;) {
        const auto extent = files_.extent_at(file.stat.node, offset, file.stat.size_bytes - offset);
        if (!extent) break;
        if (extent->stored != Stored::zeros) send_piece(file.stat.node, offset, extent->length);
        offset += extent->length;
      }
    } catch (const Error& error) {
      failed(file.path, error);
    }
    write_(Packer(Tag::end).part());
  }

  void send_piece(Node node, std::uint64_t offset, std::uint64_t length) {
    buffer_.resize(data_at_once);
    while (length > 0) {
      const auto wanted = std::size_t(std::min<std::uint64_t>(length, buffer_.size()));
      const auto count = files_.read(node, offset, std::span(buffer_).first(wanted));
      if (count == 0) return;
      write_(
          Packer(Tag::data).number<le64>(offset).bytes({reinterpret_cast<const char*>(buffer_.data()), count}).part());
      offset += count;
      length -= count;
    }
  }

  FileSystem& files_;
  const StreamWriter& write_;
  std::vector<std::byte> buffer_;
};

// ---- in the parent ----

bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('\0') == name.npos;
}

bool is_path(std::string_view path) {
  if (path.size() > longest_path) return false;
  const auto names = base::split(path, '/');
  return path.empty() || std::ranges::all_of(names, is_name);
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

bool stays_open(FileKind kind) { return kind == FileKind::directory || kind == FileKind::regular; }

}  // namespace

void send_tree(FileSystem& files, Node start, const StreamWriter& write) {
  Sender sender(files, write);
  walk(files, start, sender, {.order = WalkOrder::data, .crosses_trees = true});
}

void TreeReceiver::take(std::string_view part) {
  if (part.empty()) throw senseless();
  const auto body = part.substr(1);
  switch (Tag(part.front())) {
    case Tag::begin:
      return begin(body);
    case Tag::data:
      return data(body);
    case Tag::end:
      return end();
    case Tag::failed:
      return failed(body);
  }
  throw senseless();
}

void TreeReceiver::begin(std::string_view header) {
  Unpacker unpacker(header);
  StreamedFile file;
  file.path = unpacker.text();
  file.stat = unpack_stat(unpacker);
  file.target = unpacker.text();
  for (auto count = unpacker.number<le16>(); count > 0; --count) {
    std::string name(unpacker.text());
    file.attributes.push_back({std::move(name), std::string(unpacker.text())});
  }
  if (!is_path(file.path) || file.path.empty() == began_ || open_.size() >= deepest) throw senseless();
  const bool lies_in_open = !began_ || (!open_.empty() && open_.back().stat.kind == FileKind::directory &&
                                        open_.back().path == folder_of(file.path));
  if (!lies_in_open) throw senseless();
  began_ = true;
  sink_.begin(file);
  if (stays_open(file.stat.kind)) open_.push_back(std::move(file));
}

void TreeReceiver::data(std::string_view part) {
  Unpacker unpacker(part);
  const auto offset = unpacker.number<le64>();
  const auto bytes = unpacker.rest();
  const bool is_of_file = !open_.empty() && open_.back().stat.kind == FileKind::regular;
  if (!is_of_file || offset > open_.back().stat.size_bytes || bytes.size() > open_.back().stat.size_bytes - offset)
    throw senseless();
  sink_.data(offset, bytes);
}

void TreeReceiver::end() {
  if (open_.empty()) throw senseless();
  const auto file = std::move(open_.back());
  open_.pop_back();
  sink_.end(file);
}

void TreeReceiver::failed(std::string_view header) {
  Unpacker unpacker(header);
  const auto path = unpacker.text();
  sink_.failed(base::printable(path), base::printable(unpacker.text()));
}

}  // namespace hrvm::fs
