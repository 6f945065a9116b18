// SystemTree: a filesystem of the disk, or a subvolume of one, that may hold a system or a part of it; and which one a
// device's name leads to.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hrvm/fs/file_system.hpp"
#include "hrvm/fs/mounted.hpp"
#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/boot/device_name.hpp"

namespace hrvm::probe {

struct SystemTree {
  std::string name;  // "p3", "p3:@usr"
  const BootPlace* place = nullptr;
  std::unique_ptr<fs::FileSystem> view;  // of a subvolume
  bool is_top = true;                    // what a mount without a subvolume's name shows
  fs::FileSystem& files() const { return view ? *view : *place->files; }
};

// A system's root with what is mounted in it. The trees that it is made of must outlive it.
struct SystemRoot {
  std::string name;  // as System::root
  std::unique_ptr<fs::MountedFiles> files;
};

class SystemTrees {
 public:
  SystemTrees(std::span<const BootPlace> places, const Contents& contents);

  std::deque<SystemTree>& all() { return all_; }
  const std::deque<SystemTree>& all() const { return all_; }
  // Of a subvolume where one is named, also one that is no root by itself; nullptr where there is none here.
  const SystemTree* find(const DeviceName& device, const std::string& subvolume);
  const SurveyedPartition* partition_of(const SystemTree& tree) const;

 private:
  const SystemTree* find_subvolume(const BootPlace& place, const std::string& path);

  const Contents& contents_;
  std::span<const BootPlace> places_;
  std::deque<SystemTree> all_;
};

bool is_folder(fs::FileSystem& files, std::string_view path);  // links followed
bool holds_anything(fs::FileSystem& files, std::string_view folder);

}  // namespace hrvm::probe
