#include "probe/initramfs/initramfs.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/unified_image.hpp"
#include "probe/initramfs/cpio.hpp"
#include "probe/initramfs/decoder.hpp"
#include "probe/initramfs/file_stream.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t longest_magic = 6;
constexpr std::size_t largest_configuration = 64 << 10, most_configuration = 16;
constexpr std::uint64_t largest_initramfs = 1 << 30;

// As far as files of these names decide what is started. Others, and modules, are known by their names alone.
constexpr std::string_view configurations[] = {
    "etc/crypttab",     "cryptroot/crypttab",    "etc/cmdline.d/",
    "etc/lvm/lvm.conf", "etc/lvm/lvmlocal.conf", "etc/lvm/devices/system.devices",
    "conf/conf.d/",     "conf/initramfs.conf",
};

// A filesystem within, in which dracut and others keep what is needed later: it is not looked into, so that what it may
// hold is not known.
constexpr std::string_view packed_files[] = {"squash-root.img", "squashfs-root.img", "erofs-root.img"};
constexpr std::size_t smallest_packed = 4096, packed_head = 1028;
constexpr std::string_view squashfs_magic = "hsqs", erofs_magic = "\xe2\xe1\xf5\xe0";
constexpr std::size_t erofs_magic_at = 1024;

bool is_packed_tree(std::string_view head) {
  return head.starts_with(squashfs_magic) ||
         (head.size() >= packed_head && head.substr(erofs_magic_at).starts_with(erofs_magic));
}

bool is_configuration(std::string_view path) {
  return std::ranges::any_of(
             configurations,
             [&](std::string_view known) { return known.ends_with('/') ? path.starts_with(known) : path == known; }) ||
         path.ends_with("/modules.builtin");
}

// "6.1.0" of "usr/lib/modules/6.1.0/kernel/…".
std::string_view modules_of(std::string_view path) {
  constexpr std::string_view folder = "lib/modules/";
  if (path.starts_with("usr/")) path.remove_prefix(4);
  if (!path.starts_with(folder)) return {};
  path.remove_prefix(folder.size());
  return path.find('/') == std::string_view::npos ? std::string_view() : path.substr(0, path.find('/'));
}

// The stream within which too much was unpacked has to be left: it may never end.
class Metered : public ByteStream {
 public:
  Metered(ByteStream& stream, std::uint64_t& budget) : stream_(stream), budget_(budget) {}
  std::span<const std::byte> peek() override { return stream_.peek(); }

 private:
  void drop(std::size_t bytes) override {
    if (bytes > budget_) throw Error(ErrorKind::unsupported, "it unpacks to more than hrvm reads");
    budget_ -= bytes;
    stream_.skip(bytes);
  }

  ByteStream& stream_;
  std::uint64_t& budget_;
};

class Reading {
 public:
  Reading(FileStream& file, const std::set<std::string>& wanted, std::uint64_t most_unpacked)
      : file_(file), wanted_(wanted), budget_(most_unpacked) {}

  Initramfs run() && {
    try {
      while (!is_done() && read_archives(file_) && !file_.peek().empty()) read_compressed();
      if (!is_done() && !packed_.empty()) found_.incomplete = "its drivers lie in " + packed_ + ", which is not read";
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::io) throw;
      found_.incomplete = error.message();
    }
    return std::move(found_);
  }

 private:
  bool is_done() const { return !wanted_.empty() && found_.modules.size() == wanted_.size(); }

  // False when all that was asked for is known.
  bool read_archives(ByteStream& stream) {
    CpioReader reader(stream);
    while (const auto entry = reader.next()) {
      take(*entry, reader);
      if (is_done()) return false;
    }
    return true;
  }

  void read_compressed() {
    const auto decoder = make_decoder(file_.peek(longest_magic), file_);
    if (!decoder) throw Error(ErrorKind::unsupported, "it is packed in a way that hrvm does not know");
    Metered unpacked(*decoder, budget_);
    // What lies behind the archives in this stream is passed over, so that the next stream can be found.
    if (read_archives(unpacked)) unpacked.skip(budget_ + 1);
  }

  void take(const CpioEntry& entry, CpioReader& reader) {
    if (const auto version = modules_of(entry.name); !version.empty() && found_.kernel.empty()) found_.kernel = version;
    if (std::ranges::find(packed_files, entry.name) != std::end(packed_files)) packed_ = entry.name;
    if (auto module = module_name(entry.name); wanted_.contains(module)) found_.modules.insert(std::move(module));
    if (is_configuration(entry.name) && entry.is_regular() && found_.configuration.size() < most_configuration)
      found_.configuration.insert_or_assign(
          entry.name, reader.body(std::min<std::size_t>(entry.size_bytes, largest_configuration)));
    else if (packed_.empty() && entry.is_regular() && entry.size_bytes >= smallest_packed &&
             is_packed_tree(reader.body(packed_head)))
      packed_ = entry.name;
  }

  FileStream& file_;
  const std::set<std::string>& wanted_;
  std::uint64_t budget_;
  std::string packed_;  // one of packed_files
  Initramfs found_;
};

}  // namespace

std::string Initramfs::command_line() const {
  constexpr std::string_view folder = "etc/cmdline.d/", suffix = ".conf";
  std::string words;
  for (const auto& [name, text] : configuration) {
    if (!name.starts_with(folder) || !name.ends_with(suffix)) continue;
    for (std::string_view line : base::lines(text))
      if (line = base::trim(line); !line.empty() && !line.starts_with('#')) words.append(line).append(" ");
  }
  return words;
}

std::string module_name(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  for (std::string_view packed : {".xz", ".zst", ".gz"})
    if (name.ends_with(packed)) name.remove_suffix(packed.size());
  if (!name.ends_with(".ko")) return {};
  std::string plain(name.substr(0, name.size() - 3));
  std::ranges::replace(plain, '-', '_');
  return plain;
}

Initramfs read_initramfs(fs::FileSystem& files, const std::string& path, const std::set<std::string>& modules,
                         std::uint64_t most_unpacked, unsigned profile) {
  const auto place = fs::resolve(files, path);
  const auto info = place ? files.info(*place) : std::nullopt;
  if (!info || info->kind != fs::FileKind::regular)
    throw Error(ErrorKind::not_found, fmt::format("there is no initramfs {}", path)).on(path);
  if (info->size_bytes > largest_initramfs)
    throw Error(ErrorKind::corrupt,
                fmt::format("{} is said to have {} bytes, which no initramfs has", path, info->size_bytes))
        .on(path);
  auto image = read_unified_image(files, *place, profile);
  if (!image) image = read_addon(files, *place);
  if (image && !image->initramfs) return {};
  const auto part = image ? *image->initramfs : UnifiedImage::Part{0, info->size_bytes};
  FileStream file(files, *place, part.offset, part.offset + part.size_bytes);
  return Reading(file, modules, most_unpacked).run();
}

}  // namespace hrvm::probe
