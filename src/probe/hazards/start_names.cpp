// The names by which the start finds its root and the swap that it would wake up from.
#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/boot/disk_names.hpp"
#include "probe/hazards/hazards.hpp"
#include "probe/hazards/whereabouts.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

std::string words(std::span<const Bus> buses) {
  std::vector<std::string> all;
  for (const Bus bus : buses) all.emplace_back(word(bus));
  return base::join(all, ", ");
}

CommandLine line_of(const HazardContext& context) {
  const std::string own = context.system.boot ? context.system.boot->command_line : std::string();
  return parse_command_line(context.initramfs.command_line() + own);
}

// Whether the machine may get a bus of these: the system has its driver, or may have it.
bool is_possible(const System& system, std::span<const Bus> buses) {
  return system.drivers.empty() || std::ranges::any_of(system.drivers, [&](const DriverEvidence& driver) {
           return driver.verdict != Verdict::no && std::ranges::find(buses, driver.bus) != buses.end();
         });
}

// "6.12.0-1-amd64": Linux 5.14 took the drivers out that called a disk hda.
bool knows_no_hda(const System& system) {
  if (system.kernels.empty()) return false;
  const auto parts = base::split(system.kernels.front(), '.');
  const auto major = base::parse_unsigned(parts[0]);
  const auto minor = parts.size() > 1
                         ? base::parse_unsigned(parts[1].substr(0, parts[1].find_first_not_of("0123456789")))
                         : std::nullopt;
  return major && minor && (*major > 5 || (*major == 5 && *minor >= 14));
}

std::string why_never(const DeviceName& device) {
  using By = DeviceName::By;
  if (device.by == By::multipath || device.by == By::mapper) return "a machine has no multipath device of this name";
  if (device.by != By::kernel_name) return "no machine gives its disk this name";
  const DiskName* kind = find_disk_name(device.name);
  if (kind == nullptr || kind->buses.empty()) return "no bus of a machine gives its disk this name";
  return fmt::format("a machine's first disk is called {} there", kind->first);
}

// initramfs-tools has it in a file of its own, in the root and in what it made of that.
struct ResumeSource {
  std::string device, where;
};

// "RESUME=UUID=…" of a shell's assignments; the last counts.
std::string resume_setting(std::string_view text) {
  constexpr std::string_view key = "RESUME=";
  std::string value;
  for (std::string_view line : base::lines(text)) {
    line = base::trim(line);
    if (line.starts_with("export ")) line.remove_prefix(7);
    if (line.starts_with(key)) value = base::trim(line.substr(key.size()));
  }
  std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
  return value == "none" || value == "auto" ? std::string() : value;
}

// "kernel_cmdline+=\" resume=UUID=… \"" of dracut.conf(5).
std::string resume_of_dracut(std::string_view text) {
  std::string value;
  for (std::string_view line : base::lines(text)) {
    line = base::trim(line);
    const auto equals = line.find('=');
    if (!line.starts_with("kernel_cmdline") || equals == std::string_view::npos) continue;
    std::string words(line.substr(equals + 1));
    std::erase_if(words, [](char c) { return c == '"' || c == '\''; });
    if (auto resume = parse_command_line(words).resume; !resume.empty()) value = std::move(resume);
  }
  return value;
}

struct ResumeFolder {
  const char* folder;
  const char* file;  // beside it
  std::string (*read)(std::string_view text);
};
constexpr ResumeFolder resume_folders[] = {
    {"/etc/initramfs-tools/conf.d", "/etc/initramfs-tools/initramfs.conf", resume_setting},
    {"/etc/dracut.conf.d", "/etc/dracut.conf", resume_of_dracut},
    {"/usr/lib/dracut/dracut.conf.d", nullptr, resume_of_dracut},
};
constexpr std::size_t largest_file = 64 << 10, most_files = 64;

class Resume {
 public:
  explicit Resume(const HazardContext& context) : context_(context), names_(context) {}

  void run(Findings& findings) && {
    const CommandLine line = line_of(context_);
    if (line.no_resume) return;
    if (!line.resume.empty())
      take(line.resume, "the kernel's command line");
    else
      take_files();
    if (told_.empty()) return;
    findings.push_back(
        {"start-waits-for-swap", Severity::warning, context_.system.root,
         "its start waits for a swap to wake up from that no machine finds: " + told_.text(),
         "add noresume to the kernel's command line in the boot loader's menu; for good, in the machine: take resume= "
         "away there, write RESUME=none into /etc/initramfs-tools/conf.d/resume, and make the initramfs anew"});
  }

 private:
  // Of the initramfs where that of initramfs-tools was read: what lies in the root is what the next will be made from.
  void take_files() {
    bool is_read = false;
    for (const auto& [name, text] : context_.initramfs.configuration)
      if (name.starts_with("conf/")) {
        take(resume_setting(text), name + " of its initramfs");
        is_read = true;
      }
    if (context_.root == nullptr || is_read) return;
    for (const ResumeFolder& each : resume_folders) {
      if (each.file != nullptr) take(each.read(text_of(each.file)), each.file);
      const auto folder = fs::resolve(*context_.root, each.folder);
      const auto info = folder ? context_.root->info(*folder) : std::nullopt;
      if (!info || info->kind != fs::FileKind::directory) continue;
      for (const fs::Entry& entry : context_.root->list(*folder, most_files).entries) {
        const auto path = fmt::format("{}/{}", each.folder, entry.name);
        take(each.read(text_of(path)), path);
      }
    }
  }

  std::string text_of(const std::string& path) { return fs::try_read(*context_.root, path, largest_file).value_or(""); }

  void take(const std::string& device, std::string_view where) {
    if (device.empty()) return;
    const auto place = names_.find(device);
    const bool is_lost = place.where == Where::never || place.where == Where::elsewhere ||
                         (place.where == Where::on_a_bus && !names_.has_bus(place.buses));
    if (is_lost) told_.add(fmt::format("{} ({})", device, where));
  }

  const HazardContext& context_;
  DeviceNames names_;
  Told told_;
};

}  // namespace

void check_root_name(const HazardContext& context, Findings& findings) {
  const std::string root = line_of(context).root;
  if (root.empty()) return;
  const auto place = DeviceNames(context).find(root);
  const auto add = [&](const char* id, Severity severity, std::string message, std::string remedy) {
    findings.push_back(
        {id, severity, context.system.root, base::printable(std::move(message)), base::printable(std::move(remedy))});
  };
  constexpr std::string_view remedy =
      "in the boot loader's menu (e in GRUB) write root=UUID=… (from blkid) in its place; for good, in the machine, in "
      "/etc/default/grub or where the menu is made from";
  const bool is_ide_alone = place.buses.size() == 1 && place.buses.front() == Bus::ide;
  if (place.where == Where::on_a_bus && is_ide_alone && knows_no_hda(context.system))
    add("root-name-needs-bus", Severity::warning,
        fmt::format(
            "the kernel is told root={}, and {} gives no disk such a name, on IDE neither: kernels before 5.14 did",
            root, context.system.kernels.front()),
        std::string(remedy));
  else if (place.where == Where::on_a_bus && is_possible(context.system, place.buses) &&
           (!is_ide_alone || context.contents.boot.bios))
    add("root-name-needs-bus", Severity::note,
        fmt::format("the kernel is told root={}, and a disk has this name on these buses alone: {}{}", root,
                    words(place.buses), is_ide_alone ? ", and from a kernel before 5.14" : ""),
        fmt::format("nothing: the machine gets such a bus; for another, {}", remedy));
  else if (place.where == Where::on_a_bus)
    add("root-name-needs-bus", Severity::warning,
        fmt::format("the kernel is told root={}, and a disk has this name on buses alone that it cannot start from: {}",
                    root, words(place.buses)),
        std::string(remedy));
  else if (place.where == Where::never)
    add("root-name-needs-bus", Severity::warning,
        fmt::format("the kernel is told root={}, and {}", root, why_never(parse_device_name(root))),
        std::string(remedy));
  else if (place.where == Where::elsewhere)
    add("start-waits-for-other-disk", Severity::warning,
        fmt::format("its start waits for a root that is not on this disk: root={}", root),
        "give the machine that disk as well, or choose another entry in the boot loader's menu");
  else if (place.where == Where::twice)
    add("duplicate-identity", Severity::warning,
        fmt::format("two filesystems of this disk are called root={}, and the start takes the one or the other", root),
        "in the machine, give one of them another: tune2fs -U random, xfs_admin -U generate, sgdisk -u, e2label");
}

void check_resume(const HazardContext& context, Findings& findings) { Resume(context).run(findings); }

}  // namespace hrvm::probe
