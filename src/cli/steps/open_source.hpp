// What a word names, opened to be read: a machine, a snapshot, a disk, an image or a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/words/named_machine.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::cli {

// Either disks, of which the first is that it boots from, or a stack of folders, which a confined child cannot open by
// itself.
struct Source {
  std::vector<std::unique_ptr<block::BlockDevice>> disks;
  std::vector<std::filesystem::path> folders;
  std::unique_ptr<fs::FileSystem> folder_files;
};

bool is_machine(const Context& context, const std::string& word);
bool is_path(const Context& context, const std::string& word);

// What speaks against it is told, or thrown where --force is not given; who writes to it at this moment is told.
Source open_what(const Context& context, const std::string& what);
// What that machine was imported from, or what one of its snapshots lies on.
Source open_base_of(const Context& context, const NamedMachine& named);

}  // namespace hrvm::cli
