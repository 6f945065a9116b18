// Packages there and back through the pipe of a confined child, which may be broken.
#include "hrvm/base/error.hpp"
#include "hrvm/probe/packages.hpp"
#include "probe/packages/package_list.hpp"

namespace hrvm::probe {
namespace {

using base::Json;

[[noreturn]] void refuse() {
  throw base::Error(base::ErrorKind::corrupt, "what was read of the packages came back broken");
}

const Json::Array& items(const Json& json, std::size_t most) {
  if (!json.is_array() || json.items().size() > most) refuse();
  return json.items();
}

std::string text(const Json& json, std::string_view key) {
  auto text = json[key].text();
  if (!text) refuse();
  return std::move(*text);
}

template <base::HasWords T>
T one_of(const Json& json, std::string_view key) {
  const auto value = base::from_word<T>(text(json, key));
  if (!value) refuse();
  return *value;
}

// A package is a list of three: there may be thousands.
Json to_json(const Package& package) {
  Json json = Json::array();
  return json.push(package.name).push(package.version).push(package.architecture);
}

Package package_from(const Json& json) {
  const auto& fields = items(json, 3);
  if (fields.size() != 3) refuse();
  const auto name = fields[0].text(), version = fields[1].text(), architecture = fields[2].text();
  if (!name || !version || !architecture) refuse();
  return {*name, *version, *architecture};
}

}  // namespace

Json to_json(const std::vector<PackageDatabase>& databases) {
  Json list = Json::array();
  for (const PackageDatabase& database : databases) {
    Json packages = Json::array(), json;
    for (const Package& package : database.packages) packages.push(to_json(package));
    json.set("manager", word(database.manager)).set("packages", std::move(packages));
    list.push(json.set("unreadable", database.unreadable));
  }
  return list;
}

std::vector<PackageDatabase> packages_from_json(const Json& json) {
  std::vector<PackageDatabase> databases;
  for (const Json& each : items(json, words_of(PackageManager{}).size())) {
    PackageDatabase database{one_of<PackageManager>(each, "manager"), {}, text(each, "unreadable")};
    for (const Json& package : items(each["packages"], most_packages))
      database.packages.push_back(package_from(package));
    databases.push_back(std::move(database));
  }
  return databases;
}

Json to_json(const std::vector<PackageChange>& changes) {
  Json list = Json::array();
  for (const PackageChange& change : changes) {
    Json json;
    json.set("manager", word(change.manager)).set("name", change.name).set("architecture", change.architecture);
    list.push(json.set("change", word(change.kind)).set("from", change.from).set("to", change.to));
  }
  return list;
}

std::vector<PackageChange> package_changes_from_json(const Json& json) {
  std::vector<PackageChange> changes;
  for (const Json& each : items(json, 2 * words_of(PackageManager{}).size() * most_packages))
    changes.push_back({one_of<PackageManager>(each, "manager"), text(each, "name"), text(each, "architecture"),
                       one_of<PackageChangeKind>(each, "change"), text(each, "from"), text(each, "to")});
  return changes;
}

std::vector<std::string> package_owners_from_json(const Json& json, std::size_t paths) {
  std::vector<std::string> owners;
  for (const Json& each : items(json, paths)) owners.push_back(each.text().value_or(""));
  if (owners.size() != paths) refuse();
  return owners;
}

}  // namespace hrvm::probe
