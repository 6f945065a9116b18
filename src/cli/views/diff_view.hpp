// What differs between two disks or folders, as hrvm diff shows it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/fs/tree_diff.hpp"
#include "hrvm/probe/packages.hpp"
#include "hrvm/report/report.hpp"

namespace hrvm::cli {

struct ComparedVolume {
  std::string name, type;
  std::string state;    // of the journals: "clean", "replayed", "journal-ignored"; "unreadable": its files are not told
  std::string problem;  // why not
  std::string note;     // "it is new", where it is on one side alone, or has another size
};

struct VolumeChange {
  std::string volume;  // empty: of a folder
  fs::TreeChange change;
};

struct DifferingBlocks {
  std::string volume;  // empty: of the whole disk
  std::uint64_t changed_bytes = 0, extents = 0;
};

struct Compared {
  std::vector<ComparedVolume> volumes;  // what bears no files, and is the same, is left out
  std::vector<VolumeChange> changes;    // volume by volume, each sorted by path
  std::vector<DifferingBlocks> blocks;  // the whole disk first; empty where they were not asked for
  std::vector<probe::PackageChange> packages;
  std::vector<std::string> owners;  // for each change its package, empty for none; none where they were not asked for
  std::vector<std::string> unreadable_packages;  // why
};

struct DiffWishes {
  bool stat = false, noise = false, metadata = false, packages = false, blocks = false;
  bool knows_what = true;  // in what a file differs; not of folders
};

struct DiffView {
  report::Report report;
  bool differs = false;  // something that is shown, or what was not told
};

// Of "packages" in the data.
report::TableView packages_table(std::string title = {});

DiffView diff_view(const Compared& compared, const DiffWishes& wishes);

}  // namespace hrvm::cli
