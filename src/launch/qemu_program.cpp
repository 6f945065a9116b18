#include "qemu_program.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::launch {

namespace {

constexpr std::chrono::seconds patience{5};

// QEMU checks a -blockdev against its schema where it stands, and then leaves at -version.
bool accepts_aio(const sys::Host& host, const std::string& qemu, std::string_view aio) {
  const auto node = fmt::format(R"({{"driver":"file","node-name":"a","filename":"/dev/null","aio":"{}"}})", aio);
  return host.runner.run({{qemu, "-blockdev", node, "-version"}}, patience).exit_status == 0;
}

QemuAbilities ask(const sys::Host& host, const std::string& qemu) {
  return {accepts_aio(host, qemu, "io_uring"), accepts_aio(host, qemu, "native")};
}

std::string identity_of(const sys::Host& host, const std::string& qemu) {
  const auto file = sys::status(host.path(qemu));
  return fmt::format("{} {} {} {}", qemu, file.device, file.inode, file.size_bytes);
}

// Two lines: which program, and what it can.
std::optional<QemuAbilities> recall(const sys::Path& file, const std::string& identity) {
  const auto text = sys::try_read_file(file, 8192);
  if (!text) return std::nullopt;
  const auto lines = base::lines(*text);
  if (lines.size() != 2 || lines[0] != identity) return std::nullopt;
  return QemuAbilities{lines[1].find("io_uring") != std::string_view::npos,
                       lines[1].find("native") != std::string_view::npos};
}

// What cannot be kept is asked again the next time.
void remember(const sys::Path& file, const std::string& identity, const QemuAbilities& known) {
  try {
    sys::make_directories(file.parent_path());
    sys::AtomicFile kept(file);
    kept.write(
        fmt::format("{}\naio:{}{}\n", identity, known.io_uring ? " io_uring" : "", known.native ? " native" : ""));
    kept.commit();
  } catch (const base::Error&) {
  }
}

}  // namespace

std::optional<std::string> find_qemu(const sys::Host& host) {
  for (const auto* name : {"qemu-system-x86_64", "qemu-kvm"}) {
    if (auto found = host.find_program(name)) return found;
  }
  return host.first_existing({"/usr/libexec/qemu-kvm"});
}

QemuAbilities qemu_abilities(const sys::Host& host, const std::string& qemu,
                             const std::filesystem::path& cache_folder) {
  if (host.is_recorded()) return {};
  const auto identity = identity_of(host, qemu);
  if (const auto known = recall(cache_folder / "qemu", identity)) return *known;
  const auto abilities = ask(host, qemu);
  remember(cache_folder / "qemu", identity, abilities);
  return abilities;
}

}  // namespace hrvm::launch
