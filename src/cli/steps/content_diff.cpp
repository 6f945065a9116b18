#include "cli/steps/content_diff.hpp"

#include <fmt/core.h>

#include <optional>

#include "cli/steps/reading_files.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t largest_file = 16 * base::MiB;
constexpr std::size_t most_output = base::MiB;  // that a Runner catches
constexpr std::chrono::seconds longest_run{60};
constexpr int status_same = 0, status_differs = 1;  // diff(1)

FilePlace place_in(const std::string& what, const std::string& place) {
  const auto slash = place.find(":/");
  if (slash == place.npos) return {what, "", place};
  return {what, place.substr(0, slash), place.substr(slash + 1)};
}

// nullopt where it is not there.
std::optional<std::string> contents(const Context& context, const NamedSource& from, const std::string& place) try {
  std::string bytes;
  read_files(context, from.source, place_in(from.name, place), send_contents, [&](std::string_view part) {
    bytes += part;
    if (bytes.size() > largest_file)
      throw Error(ErrorKind::unsupported,
                  fmt::format("{} is larger than {}", base::printable(place), base::format_bytes(largest_file)))
          .hint("copy it out of both, and compare the copies: hrvm cp");
  });
  return bytes;
} catch (const Error& error) {
  if (error.kind() != ErrorKind::not_found) throw;
  return std::nullopt;
}

// A file that has no name, and is gone when it is closed.
class UnnamedFile {
 public:
  explicit UnnamedFile(const Context& context, const std::string& bytes)
      : file_(context.host.path(context.host.variable("TMPDIR").value_or("/tmp")) / "hrvm-diff") {
    file_.write(bytes);
  }
  int fd() const { return file_.fd(); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", file_.fd()); }

 private:
  sys::AtomicFile file_;
};

std::string label(const NamedSource& of, const std::string& place, bool is_there) {
  return is_there ? base::printable(of.name + ":" + place) : "/dev/null";
}

}  // namespace

ContentDiff content_diff(const Context& context, const NamedSource& from, const NamedSource& to,
                         const std::string& place) {
  const auto old = contents(context, from, place), now = contents(context, to, place);
  if (!old && !now)
    throw Error(ErrorKind::not_found,
                fmt::format("neither {} nor {} has {}", from.name, to.name, base::printable(place)))
        .hint("hrvm diff without --content tells the paths, with their volume before them");
  const auto program = context.host.find_program("diff");
  if (!program) throw Error(ErrorKind::not_found, "there is no diff on this host").hint("apt install diffutils");
  const UnnamedFile a(context, old.value_or("")), b(context, now.value_or(""));
  const auto result =
      context.host.runner.run({.argv = {*program, "-u", "--label", label(from, place, old.has_value()), "--label",
                                        label(to, place, now.has_value()), a.path(), b.path()},
                               .environment = {{"LC_ALL", "C"}},
                               .inherited_fds = {a.fd(), b.fd()}},
                              longest_run);
  if (result.exit_status == status_same) return {};
  if (result.exit_status != status_differs)
    throw Error(ErrorKind::io, fmt::format("diff failed: {}", base::printable(base::trim(result.err))));
  return {result.out, result.out.size() >= most_output};
}

}  // namespace hrvm::cli
