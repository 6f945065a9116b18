#include "support/registry_hive.hpp"

#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/files.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace hrvm::test {

void make_hive(const std::filesystem::path& file, const std::string& reg) {
  const std::filesystem::path maker = std::filesystem::path(HRVM_SOURCE_DIR) / "tests/support/make-hive.py";
  const TemporaryDirectory folder;
  run_program({"python3", maker.string(), file.string(), folder.write("hive.reg", reg).string()});
}

std::string hive_bytes(const std::string& reg) {
  const TemporaryDirectory folder;
  make_hive(folder / "hive", reg);
  return sys::read_file(folder / "hive", 64 * base::MiB);
}

}  // namespace hrvm::test
