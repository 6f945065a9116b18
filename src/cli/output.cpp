#include "cli/output.hpp"

#include <cerrno>
#include <ostream>

#include "hrvm/base/error.hpp"

namespace hrvm::cli {

void write_out(std::ostream& out, std::string_view text) {
  errno = 0;
  out << text << std::flush;
  if (out) return;
  if (errno == EPIPE) throw ReaderGone{};
  throw base::system_error(errno ? errno : EIO, "write", "standard output");
}

}  // namespace hrvm::cli
