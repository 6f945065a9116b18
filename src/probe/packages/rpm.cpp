// rpm's database, where distributions have it and as rpm has written it over the years.
#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "probe/packages/managers.hpp"
#include "probe/packages/rpm_header.hpp"
#include "probe/packages/rpm_records.hpp"

namespace hrvm::probe {
namespace {

// Fedora's and SUSE's, what it was before, and rpm-ostree's.
constexpr std::string_view folders[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"};

[[noreturn]] void refuse_berkeley_db(fs::FileSystem&, const std::string& path, const RecordVisitor&) {
  throw base::Error(base::ErrorKind::unsupported, "it is a Berkeley DB, which hrvm does not read").on(path);
}

// The newest first: of what an older rpm left behind nothing is said.
struct Backend {
  std::string_view file_name;
  void (*visit)(fs::FileSystem& root, const std::string& path, const RecordVisitor& visitor);
};
constexpr Backend backends[] = {
    {"rpmdb.sqlite", visit_sqlite_records},
    {"Packages.db", visit_ndb_records},
    {"Packages", refuse_berkeley_db},
};

// False where there is no database.
bool visit_headers(fs::FileSystem& root, const std::function<void(const RpmHeader& header)>& visitor) {
  for (const Backend& backend : backends)
    for (const std::string_view folder : folders) {
      const auto path = fs::resolve(root, fmt::format("{}/{}", folder, backend.file_name));
      if (!path || root.info(*path)->kind != fs::FileKind::regular) continue;
      backend.visit(root, *path, [&](std::span<const std::byte> record) { visitor(RpmHeader(record)); });
      return true;
    }
  return false;
}

// As %{EVR} has it.
std::string version_of(const RpmHeader& header) {
  const auto version = header.text(RpmTag::version), release = header.text(RpmTag::release);
  if (!version) return "";
  std::string all(*version);
  if (release) all.append("-").append(*release);
  const auto epoch = header.number(RpmTag::epoch);
  return epoch ? fmt::format("{}:{}", *epoch, all) : all;
}

}  // namespace

bool read_rpm(fs::FileSystem& root, PackageList& list) {
  constexpr std::string_view key_of_signatures = "gpg-pubkey";  // kept like a package, and none
  return visit_headers(root, [&](const RpmHeader& header) {
    const auto name = header.text(RpmTag::name).value_or("");
    if (name != key_of_signatures) list.add(name, version_of(header), header.text(RpmTag::architecture).value_or(""));
  });
}

void claim_rpm(fs::FileSystem& root, AskedPaths& paths) {
  visit_headers(root, [&](const RpmHeader& header) {
    const auto name = header.text(RpmTag::name).value_or("");
    header.visit_paths([&](std::string_view path) { paths.claim(path, name); });
  });
}

}  // namespace hrvm::probe
