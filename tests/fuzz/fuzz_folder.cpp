// A folder made of the fuzzer's bytes, read as discovery and import do; and the same on the host, where the files below
// /upper are a layer above the others, read by node and compared layer by layer as fs does.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/file_system_walk.hpp"
#include "fuzz/tree_of.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/fs/folder_diff.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/fd.hpp"

using namespace hrvm;

namespace {

constexpr std::size_t most_host_files = 64, most_host_bytes = 8192;

// Lower and upper, made anew for each input. Nothing is written through a link, as what is below it is the fuzzer's.
class HostFolders {
 public:
  HostFolders() {
    auto name = (std::filesystem::temp_directory_path() / "fuzz-folder-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    top_ = name;
  }
  ~HostFolders() { std::filesystem::remove_all(top_); }

  std::filesystem::path lower() const { return top_ / "lower"; }
  std::filesystem::path upper() const { return top_ / "upper"; }

  void fill(const std::vector<test::TreePart>& parts) {
    for (const auto& folder : {lower(), upper()}) {
      std::filesystem::remove_all(folder);
      std::filesystem::create_directory(folder);
    }
    for (std::size_t i = 0; i < std::min(parts.size(), most_host_files); ++i) put(parts[i]);
  }

 private:
  static bool is_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find('\0') == name.npos;
  }

  void put(const test::TreePart& part) {
    constexpr std::string_view of_upper = "/upper/";
    const bool is_upper = part.path.starts_with(of_upper);
    const auto path = std::string_view(part.path).substr(is_upper ? of_upper.size() : 1);
    sys::Fd folder(::open((is_upper ? upper() : lower()).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto names = base::split(path, '/');
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!folder || !is_name(names[i])) return;
      const std::string name(names[i]);
      if (i + 1 == names.size()) return put(folder.get(), name, part);
      ::mkdirat(folder.get(), name.c_str(), 0755);
      folder = sys::Fd(::openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
  }

  // "NAME.whiteout" is one of NAME, where this user may make it.
  static void put(int folder, const std::string& name, const test::TreePart& part) {
    constexpr std::string_view whiteout = ".whiteout";
    if (part.target) {
      [[maybe_unused]] const auto made = ::symlinkat(part.target->c_str(), folder, name.c_str());
    } else if (name.ends_with(whiteout) && name.size() > whiteout.size()) {
      ::mknodat(folder, name.substr(0, name.size() - whiteout.size()).c_str(), S_IFCHR, 0);
    } else {
      const sys::Fd file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!file) return;
      [[maybe_unused]] const auto wrote =
          ::write(file.get(), part.content.data(), std::min(part.content.size(), most_host_bytes));
    }
  }

  std::filesystem::path top_;
};

void read_on_the_host(const std::string& bytes) {
  static HostFolders host;
  host.fill(test::parts_of(bytes));
  fuzz::explore(*fs::open_folder({host.lower()}));
  fuzz::explore(*fs::open_folder({host.upper(), host.lower()}));
  try {
    const auto changes =
        fs::FolderComparison({host.lower()}, {host.upper(), host.lower()}).changes([](std::uint64_t) {});
    if (fs::changes_from_text(fs::to_text(changes)) != changes) __builtin_trap();
  } catch (const base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  auto files = test::tree_of(bytes);
  try {
    probe::contents_from_json(probe::to_json(probe::read_folder(files, "/srv")));
  } catch (const base::Error&) {
    probe::find_folder_kernel(files);
  }
  read_on_the_host(bytes);
  return 0;
}
