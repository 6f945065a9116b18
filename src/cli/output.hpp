// What goes to standard output.
#pragma once

#include <iosfwd>
#include <string_view>

namespace hrvm::cli {

// The reader of our output has left ("hrvm list | head -1"): nobody is there to be told. Caught in run() alone.
struct ReaderGone {};

// Writes all, and notices when it did not arrive: a full disk behind ">" must not look like success. Throws ReaderGone
// or Error.
void write_out(std::ostream& out, std::string_view text);

}  // namespace hrvm::cli
