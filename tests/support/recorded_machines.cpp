#include "support/recorded_machines.hpp"

#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>

#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "support/recorded_disks.hpp"

namespace hrvm::test {
namespace {

namespace stdfs = std::filesystem;

const stdfs::path descriptions = HRVM_SOURCE_DIR "/tests/support/machines";

struct Disk {
  std::string path, recipe;
};

// Reads a description line by line and builds what it says; disks come last, when their sizes are known.
class Builder {
 public:
  explicit Builder(const TemporaryDirectory& folder) : folder_(folder) {}

  void line(const std::string& text) {
    if (text.starts_with("  ")) return void(text_ += text.substr(2) + "\n");
    finish_file();
    if (text.empty() || text.starts_with("#")) return;
    if (text.starts_with("in ")) return void(place_ = text.substr(3) + "/");
    if (const auto at = text.find(" -> "); at != std::string::npos)
      return void(folder_.link(text.substr(0, at), text.substr(at + 4)));
    if (const auto at = text.find(" = "); at != std::string::npos)
      return disks_.push_back({text.substr(0, at), text.substr(at + 3)});
    start_file(text);
  }

  void finish() {
    finish_file();
    for (const Disk& disk : disks_) make_recorded_disk(folder_ / disk.path.substr(1), size(disk), disk.recipe);
  }

 private:
  // The first ": " (or ":" at the end) parts path and text: PCI addresses in paths have colons, but no spaces after
  // them.
  void start_file(const std::string& text) {
    const auto at = text.ends_with(":") ? text.size() - 1 : text.find(": ");
    if (at == std::string::npos) throw std::runtime_error("no such line is known: " + text);
    path_ = (text.starts_with("/") ? "" : place_) + text.substr(0, at);
    text_ = at + 2 < text.size() ? text.substr(at + 2) + "\n" : "";
  }

  void finish_file() {
    if (!path_.empty()) folder_.write(path_, text_);
    path_.clear();
  }

  std::uint64_t size(const Disk& disk) const {
    stdfs::create_directories((folder_ / disk.path.substr(1)).parent_path());
    const auto name = stdfs::path(disk.path).filename().string();
    return sys::try_read_number(folder_ / "sys/block" / name / "size").value() * 512;
  }

  const TemporaryDirectory& folder_;
  std::string place_, path_, text_;
  std::vector<Disk> disks_;
};

}  // namespace

RecordedMachine::RecordedMachine(const std::string& name) {
  std::ifstream description(descriptions / (name + ".txt"));
  if (!description) throw std::runtime_error("no machine is recorded as " + name);
  Builder builder(folder_);
  for (std::string line; std::getline(description, line);) builder.line(line);
  builder.finish();
}

stdfs::path RecordedMachine::file(std::string_view absolute) const { return folder_ / absolute.substr(1); }

const RecordedMachine& recorded_machine(const std::string& name) {
  static std::map<std::string, std::unique_ptr<RecordedMachine>> built;
  auto& machine = built[name];
  if (!machine) machine = std::make_unique<RecordedMachine>(name);
  return *machine;
}

std::vector<std::string> recorded_machine_names() {
  std::vector<std::string> names;
  for (const std::string& name : sys::list_directory(descriptions)) names.push_back(stdfs::path(name).stem().string());
  return names;
}

}  // namespace hrvm::test
