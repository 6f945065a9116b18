// An XFS that mkfs.xfs has filled, with some of its bytes replaced: each eight of the fuzzer's bytes say which of the
// sectors that are not empty, where in it, and by what. Checksums are not verified by the reader, so nothing keeps them
// out.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include "fuzz/file_system_walk.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/sys/runner.hpp"

using namespace hrvm;

namespace {

constexpr std::uint64_t sector_bytes = 512;

const char* const make_image = R"(
set -e; cd "$1"; mkdir -p tree/etc tree/many
echo ID=debian > tree/etc/os-release; ln -s ../etc/os-release tree/many/link; head -c 70000 /dev/urandom > tree/etc/large
{ printf 'none\n0 0\nd--755 0 0\netc d--755 0 0\nos-release ---644 0 0 %s\nlarge ---644 0 0 %s\n$\nmany d--755 0 0\n' \
    "$1/tree/etc/os-release" "$1/tree/etc/large"
  for i in $(seq 200); do echo "a-file-with-a-long-name-$i l--777 0 0 ../etc/os-release"; done
  printf '$\n$\n'; } > prototype
truncate -s 320M image; mkfs.xfs -q -p prototype image
)";

// The sectors that are not empty.
class Seed {
 public:
  Seed() {
    const auto folder = std::filesystem::temp_directory_path() / ("fuzz-xfs-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto made =
        sys::make_process_runner()->run({{"bash", "-c", make_image, "-", folder}, {}, {}}, std::chrono::minutes(1));
    if (made.exit_status != 0) std::abort();
    const auto image = block::open_device(folder / "image");
    size = image->size();
    for (std::uint64_t at = 0; at < size;) {
      const auto extent = image->extent_at(at);
      for (std::uint64_t offset = at; extent.kind == block::ExtentKind::data && offset < at + extent.length;
           offset += sector_bytes)
        if (auto sector = image->read(offset, sector_bytes); !block::is_zero(sector)) add(offset, std::move(sector));
      at += extent.length;
    }
    std::filesystem::remove_all(folder);
  }

  std::uint64_t size = 0;
  std::map<std::uint64_t, std::vector<std::byte>> sectors;
  std::vector<std::uint64_t> places;

 private:
  void add(std::uint64_t offset, std::vector<std::byte> sector) {
    sectors.emplace(offset, std::move(sector));
    places.push_back(offset);
  }
};

class Sparse : public block::BlockDevice {
 public:
  Sparse(const Seed& seed, std::map<std::uint64_t, std::vector<std::byte>> changed)
      : seed_(seed), changed_(std::move(changed)) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return seed_.size; }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > size() || out.size() > size() - offset)
      throw base::Error(base::ErrorKind::corrupt, "a read leaves the device");
    std::ranges::fill(out, std::byte());
    copy_from(seed_.sectors, offset, out);
    copy_from(changed_, offset, out);
  }
  const std::string& name() const override { return name_; }

 private:
  static void copy_from(const std::map<std::uint64_t, std::vector<std::byte>>& sectors, std::uint64_t offset,
                        std::span<std::byte> out) {
    for (auto it = sectors.lower_bound(offset - offset % sector_bytes);
         it != sectors.end() && it->first < offset + out.size(); ++it) {
      const std::uint64_t start = std::max(it->first, offset),
                          end = std::min(it->first + sector_bytes, offset + out.size());
      std::memcpy(out.data() + (start - offset), it->second.data() + (start - it->first), end - start);
    }
  }

  const Seed& seed_;
  std::map<std::uint64_t, std::vector<std::byte>> changed_;
  std::string name_ = "fuzz";
};

struct Patch {
  base::le16 sector, offset;
  base::be32 value;
};
static_assert(sizeof(Patch) == 8);

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Seed seed;
  const auto input = std::as_bytes(std::span(data, size));
  std::map<std::uint64_t, std::vector<std::byte>> changed;
  for (std::size_t at = 0; at + sizeof(Patch) <= input.size() && changed.size() < 64; at += sizeof(Patch)) {
    const auto patch = base::load<Patch>(input, at);
    const std::uint64_t place = seed.places[patch.sector % seed.places.size()];
    auto& sector = changed.try_emplace(place, seed.sectors.at(place)).first->second;
    base::store(std::span(sector), patch.offset % (sector_bytes - sizeof patch.value), patch.value);
  }
  Sparse device(seed, std::move(changed));
  fuzz::walk(device, fs::open_xfs);
  return 0;
}
