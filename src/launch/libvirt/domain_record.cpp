#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

constexpr std::size_t largest_record = 64 << 10;

}  // namespace

// "qemu:///system", "qemu+unix:///session": no host between the slashes.
bool DomainRecord::is_local() const {
  const auto authority = uri.find("://");
  return authority == uri.npos || uri.compare(authority, 4, ":///") == 0;
}

machine::Path domain_record_path(const machine::Path& machine_folder) { return machine_folder / "libvirt.json"; }

std::optional<DomainRecord> domain_record(const machine::Path& machine_folder) {
  const auto file = domain_record_path(machine_folder);
  if (sys::link_status(file).type == sys::FileType::missing) return std::nullopt;
  const auto document = base::parse_json(sys::read_file(file, largest_record), file.string());
  const auto uri = document["uri"].text(), name = document["domain"].text();
  const auto uuid = base::Guid::parse(document["uuid"].text().value_or(""));
  if (uri && name && uuid) return DomainRecord{*uri, *name, *uuid};
  throw Error(ErrorKind::corrupt, "it does not say which domain of libvirt the machine is")
      .on(file)
      .hint("remove this file; hrvm boot --libvirt writes it anew");
}

void keep_domain_record(const machine::Path& machine_folder, const DomainRecord& record) {
  sys::AtomicFile file(domain_record_path(machine_folder));
  const auto json = Json::object().set("uri", record.uri).set("domain", record.name).set("uuid", record.uuid.text());
  file.write(base::to_text(json) + "\n");
  file.commit();
}

void forget_domain_record(const machine::Path& machine_folder) { sys::remove_all(domain_record_path(machine_folder)); }

}  // namespace hrvm::launch
