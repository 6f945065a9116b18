#include <fmt/core.h>

#include <pugixml.hpp>
#include <sstream>

#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/sys/files.hpp"
#include "launch/libvirt/domain_mark.hpp"

namespace hrvm::launch {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using machine::Machine;
using machine::Path;
using pugi::xml_node;

std::string_view source_of(xml_node node) { return node.child("source").attribute("file").as_string(); }

xml_node disk_on(xml_node domain, const Path& layer) {
  for (const auto disk : domain.child("devices").children("disk"))
    if (source_of(disk) == layer.string()) return disk;
  throw Error(ErrorKind::unsupported,
              fmt::format("the domain {} has no disk on the machine's layer", domain.child("name").text().as_string()))
      .on(layer);
}

// The first link of the chain that is no layer of the machine: its base.
xml_node base_under(xml_node disk, const Path& layers) {
  auto node = disk.child("backingStore");
  while (Path(source_of(node)).parent_path() == layers) node = node.child("backingStore");
  return node;
}

xml_node add_layer(xml_node above, const Path& layer) {
  auto link = above.insert_child_after("backingStore", above.child("source"));
  link.append_attribute("type") = "file";
  link.append_child("format").append_attribute("type") = "qcow2";
  link.append_child("source").append_attribute("file") = layer.c_str();
  return link;
}

void change_chain(xml_node disk, const Machine& before, const Machine& now, std::size_t number) {
  pugi::xml_document kept;
  kept.append_copy(base_under(disk, before.folder / "layers"));
  disk.remove_child("backingStore");
  disk.child("source").attribute("file") = now.layer_path(now.definition.active.layer, number).c_str();
  auto above = disk;
  const auto layers = now.definition.chain(now.definition.active);
  for (std::size_t index = 1; index < layers.size(); ++index)
    above = add_layer(above, now.layer_path(layers[index], number));
  above.insert_copy_after(kept.first_child(), above.child("source"));
}

void change_variables(xml_node domain, const Machine& now) {
  const auto nvram = domain.child("os").child("nvram");
  const auto& id = now.definition.active.nvram;
  if (nvram && id) nvram.text() = now.nvram_path(*id).c_str();
}

void change_name(xml_node domain, const Machine& now) {
  domain.child("name").text() = now.name.c_str();
  domain.child("metadata").child(mark_element).attribute("name") = now.name.c_str();
}

constexpr std::size_t largest_away = 16 << 20;

Path away_path(const Path& machine_folder) { return machine_folder / "libvirt-away.json"; }

bool boots_by_uefi(std::string_view xml) {
  pugi::xml_document document;
  document.load_buffer(xml.data(), xml.size());
  return !document.child("domain").child("os").child("nvram").empty();
}

}  // namespace

bool is_domain_of(std::string_view xml, const base::Guid& uuid) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return false;
  const auto domain = document.child("domain");
  const auto mark = domain.child("metadata").child(mark_element);
  return mark.attribute(mark_namespace_attribute).as_string() == std::string_view(mark_namespace) &&
         base::Guid::parse(domain.child("uuid").text().as_string()) == uuid;
}

std::string domain_xml_after(std::string_view xml, const Machine& before, const Machine& now) {
  pugi::xml_document document;
  document.load_buffer(xml.data(), xml.size());
  const auto domain = document.child("domain");
  const auto& active = before.definition.active.layer;
  for (std::size_t number = 0; number < now.definition.disks.size(); ++number)
    change_chain(disk_on(domain, before.layer_path(active, number)), before, now, number);
  change_variables(domain, now);
  change_name(domain, now);
  std::ostringstream text;
  document.save(text, "  ", pugi::format_indent | pugi::format_no_declaration);
  return text.str();
}

std::optional<DomainAway> DomainAway::take(const sys::Host& host, const Machine& machine) {
  const auto record = domain_record(machine.folder);
  if (!record) return std::nullopt;
  Domain domain(host, *record);
  auto xml = domain.definition();
  if (!xml) return left_over(host, machine);
  const bool starts_by_itself = domain.starts_by_itself();
  DomainAway away(host, machine, std::move(domain), *std::move(xml), starts_by_itself);
  away.keep();
  try {
    away.domain_.undefine();
  } catch (const Error&) {
    forget(machine.folder);
    throw;
  }
  return away;
}

std::optional<DomainAway> DomainAway::left_over(const sys::Host& host, const Machine& machine) {
  const auto file = away_path(machine.folder);
  const auto record = domain_record(machine.folder);
  if (!record || sys::link_status(file).type == sys::FileType::missing) return std::nullopt;
  Domain domain(host, *record);
  if (domain.state() != DomainState::missing) {
    forget(machine.folder);
    return std::nullopt;
  }
  const auto kept = base::parse_json(sys::read_file(file, largest_away), file.string());
  const Path folder = kept["folder"].text().value_or("");
  Machine before{folder.filename(), folder, 0, machine::definition_from_json(kept["definition"], file.string())};
  return DomainAway(host, std::move(before), std::move(domain), kept["xml"].text().value_or(""),
                    kept["autostart"] == Json(true));
}

void DomainAway::forget(const Path& machine_folder) { sys::remove_all(away_path(machine_folder)); }

void DomainAway::keep() const {
  sys::AtomicFile file(away_path(before_.folder));
  const auto json = Json::object()
                        .set("folder", before_.folder.string())
                        .set("autostart", starts_by_itself_)
                        .set("xml", xml_)
                        .set("definition", to_json(before_.definition));
  file.write(base::to_text(json) + "\n");
  file.commit();
}

void DomainAway::define(const Domain& domain, const std::string& xml) const {
  domain.define(xml, machine::run_folder(host_, before_.definition) / "domain.xml");
  if (starts_by_itself_) domain.set_starts_by_itself();
}

void DomainAway::put_back() const {
  define(domain_, xml_);
  forget(before_.folder);
}

bool DomainAway::waits_for_variables(const Machine& now) const {
  return boots_by_uefi(xml_) && !now.definition.active.nvram;
}

bool DomainAway::define_for(const Machine& now) const {
  if (waits_for_variables(now)) return false;
  auto record = domain_.record();
  record.name = now.name;
  keep_domain_record(now.folder, record);
  define(Domain(host_, record), domain_xml_after(xml_, before_, now));
  forget(now.folder);
  return true;
}

}  // namespace hrvm::launch
