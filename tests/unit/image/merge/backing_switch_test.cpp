#include "image/merge/backing_switch.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "unit/image/images.hpp"
#include "unit/image/power_cut.hpp"

namespace hrvm::image::test {
namespace {

void switch_backing(const Path& path, const std::optional<BackingReference>& now, RecordedFile* record = nullptr) {
  auto file = block::open_device(path);
  auto header = read_header(*file);
  auto cluster = file->read(0, std::size_t(std::min(file->size(), header.geometry.cluster_bytes())));
  auto fd = sys::open_file(path, O_RDWR);
  DescriptorFile out(fd.get(), path);
  WritableFile& target = record ? static_cast<WritableFile&>(*record) : out;
  apply(plan_backing_switch(cluster, header, now, path), target);
}

std::string long_path(const Folder& folder, std::size_t length) {
  auto start = (folder / "").string();
  return start + std::string(length - start.size() - 4, '/') + "base";
}

}  // namespace

TEST_CASE("an image names its new backing file as QEMU would have written it") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  make(folder / "other", {base::MiB, Geometry{}, std::nullopt});
  std::vector<std::optional<BackingReference>> targets = {
      std::nullopt, BackingReference{"base", "raw"}, BackingReference{"other", "qcow2"},
      BackingReference{long_path(folder, 300), "raw"}, BackingReference{long_path(folder, 1000), "raw"}};
  for (const auto* options :
       {"cluster_size=64k", "cluster_size=4k,extended_l2=off", "cluster_size=64k,extended_l2=on"}) {
    for (const auto& old_path : {std::string("base"), long_path(folder, 900)}) {
      for (const auto& now : targets) {
        CAPTURE(options, old_path.size(), now ? now->path.size() : 0);
        auto image = folder / "image";
        output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, "-b", old_path, "-F", "raw", image, "1M"});
        switch_backing(image, now);
        CHECK(check(image) == 0);
        auto says = info(image);
        CHECK(says["backing-filename"].text() == (now ? std::optional(now->path) : std::nullopt));
        CHECK(says["backing-filename-format"].text() == (now ? std::optional(now->format) : std::nullopt));
      }
    }
  }
}

TEST_CASE("an image that never named a format gets one with its new backing file") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  make(folder / "image", {base::MiB, Geometry{}, std::nullopt});
  switch_backing(folder / "image", BackingReference{"base", "raw"});
  CHECK(check(folder / "image") == 0);
  CHECK(info(folder / "image")["backing-filename-format"].text() == "raw");
}

TEST_CASE("a path that fits beside the old one nowhere is refused before anything is written") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  make(folder / "image", {base::MiB, plain(10), BackingReference{long_path(folder, 500), "raw"}});
  auto before = content(folder / "image", ImageFormat::raw);
  CHECK_THROWS_AS(switch_backing(folder / "image", BackingReference{long_path(folder, 500), "qcow2"}), base::Error);
  CHECK((content(folder / "image", ImageFormat::raw) == before));
}

TEST_CASE("an image whose backing is switched while the power fails names the old one or the new one") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  Random random(4);
  for (const auto& geometry : {Geometry{}, plain(9), plain(12)}) {
    auto old_path = long_path(folder, 80), new_path = long_path(folder, 120);
    make(folder / "image", {base::MiB, geometry, BackingReference{old_path, "raw"}});
    auto before = content(folder / "image", ImageFormat::raw);
    auto fd = sys::open_file(folder / "image", O_RDWR);
    DescriptorFile file(fd.get(), folder / "image");
    RecordedFile recorded(file);
    switch_backing(folder / "image", BackingReference{new_path, "qcow2"}, &recorded);
    for (std::size_t steps = 0; steps <= recorded.steps(); ++steps) {
      for (int i = 0; i < 8; ++i) {
        write_file(folder / "cut", recorded.after_power_cut(before, steps, random));
        auto backing = read_info(folder / "cut").backing;
        bool is_old = backing->path == old_path && backing->format == "raw";
        bool is_new = backing->path == new_path && backing->format == "qcow2";
        CHECK((is_old || is_new));
        if (steps == recorded.steps()) CHECK(is_new);
      }
    }
  }
}

}  // namespace hrvm::image::test
