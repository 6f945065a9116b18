#include "probe/disk/udev.hpp"

#include <dlfcn.h>
#include <sys/sysmacros.h>

#include <memory>

#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::probe {
namespace {

// libudev's calls, by their own names. The library is loaded when it is there: Debian has no static one, and a rescue
// system may have none at all.
struct Libudev {
  struct Context;
  struct Device;
  struct Entry;
  Context* (*udev_new)();
  Context* (*udev_unref)(Context*);
  Device* (*udev_device_new_from_devnum)(Context*, char, dev_t);
  Device* (*udev_device_unref)(Device*);
  Entry* (*udev_device_get_properties_list_entry)(Device*);
  Entry* (*udev_list_entry_get_next)(Entry*);
  const char* (*udev_list_entry_get_name)(Entry*);
  const char* (*udev_list_entry_get_value)(Entry*);
};

template <typename Function>
bool load(void* library, const char* name, Function*& function) {
  // POSIX asks that a pointer from dlsym can be made one to a function.
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  return function != nullptr;
}

const Libudev* libudev() {
  static const auto loaded = []() -> std::unique_ptr<Libudev> {
    void* library = ::dlopen("libudev.so.1", RTLD_NOW | RTLD_LOCAL);
    auto calls = std::make_unique<Libudev>();
    const bool complete =
        library && load(library, "udev_new", calls->udev_new) && load(library, "udev_unref", calls->udev_unref) &&
        load(library, "udev_device_new_from_devnum", calls->udev_device_new_from_devnum) &&
        load(library, "udev_device_unref", calls->udev_device_unref) &&
        load(library, "udev_device_get_properties_list_entry", calls->udev_device_get_properties_list_entry) &&
        load(library, "udev_list_entry_get_next", calls->udev_list_entry_get_next) &&
        load(library, "udev_list_entry_get_name", calls->udev_list_entry_get_name) &&
        load(library, "udev_list_entry_get_value", calls->udev_list_entry_get_value);
    return complete ? std::move(calls) : nullptr;
  }();
  return loaded.get();
}

dev_t device_number(const std::string& numbers) {
  const auto fields = base::split(numbers, ':');
  if (fields.size() != 2) return 0;
  return makedev(base::parse_unsigned(fields[0]).value_or(0), base::parse_unsigned(fields[1]).value_or(0));
}

void add_from_libudev(const std::string& numbers, UdevRecord& record) {
  const Libudev* udev = libudev();
  if (udev == nullptr) return;
  const std::unique_ptr<Libudev::Context, decltype(udev->udev_unref)> context(udev->udev_new(), udev->udev_unref);
  if (!context) return;
  const std::unique_ptr<Libudev::Device, decltype(udev->udev_device_unref)> device(
      udev->udev_device_new_from_devnum(context.get(), 'b', device_number(numbers)), udev->udev_device_unref);
  if (!device) return;
  for (auto* entry = udev->udev_device_get_properties_list_entry(device.get()); entry != nullptr;
       entry = udev->udev_list_entry_get_next(entry)) {
    const char* value = udev->udev_list_entry_get_value(entry);
    record.properties.emplace(udev->udev_list_entry_get_name(entry), value ? value : "");
  }
}

// Lines of the database: "E:ID_BUS=ata" is a property, "S:disk/by-id/…" a link under /dev.
void add_line(std::string_view line, UdevRecord& record) {
  if (line.starts_with("S:")) record.links.push_back("/dev/" + std::string(line.substr(2)));
  const auto equals = line.find('=');
  if (line.starts_with("E:") && equals != std::string_view::npos)
    record.properties.emplace(line.substr(2, equals - 2), line.substr(equals + 1));
}

}  // namespace

std::string UdevRecord::property(const std::string& name) const {
  const auto found = properties.find(name);
  return found == properties.end() ? std::string() : found->second;
}

UdevRecord udev_record(const sys::Host& host, const std::string& numbers) {
  UdevRecord record;
  if (numbers.empty()) return record;
  const auto text = sys::try_read_file(host.path("/run/udev/data/b" + numbers)).value_or("");
  for (std::string_view line : base::lines(text)) add_line(line, record);
  if (!host.is_recorded()) add_from_libudev(numbers, record);
  return record;
}

}  // namespace hrvm::probe
