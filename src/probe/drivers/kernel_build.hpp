// How a kernel was built: which drivers are in it, which are modules, which it does not have at all. From
// modules.builtin and modules of /lib/modules/VERSION, and from the configuration that distributions put beside the
// kernel.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

struct Driver {
  std::string_view module;  // "virtio_blk"
  std::string_view path;    // "block/virtio_blk", under kernel/drivers
  std::string_view option;  // "CONFIG_VIRTIO_BLK"
};

enum class BuiltAs { unknown, builtin, module, absent };

class KernelBuild {
 public:
  // `root` is the system's, `boot` where the kernel lies; both may be null. `modules_builtin` is what an initramfs
  // holds of that name, for systems whose root cannot be looked into.
  KernelBuild(fs::FileSystem* root, fs::FileSystem* boot, const std::string& version);
  void add_modules_builtin(std::string text);

  BuiltAs how(const Driver& driver) const;
  // Where it was found: "modules.builtin", "/boot/config-6.1.0".
  std::string source(const Driver& driver) const;
  // Whether the system's modules can be looked at, and this one is among them: a distribution may keep what its
  // kernel's configuration names in a package of its own.
  bool has_modules() const;
  bool has_module(const Driver& driver) const;

 private:
  fs::FileSystem* root_;
  std::string modules_;                 // folder
  std::optional<std::string> builtin_;  // what modules.builtin says
  std::optional<std::string> config_;   // what the configuration says
  std::string config_path_;
};

}  // namespace hrvm::probe
