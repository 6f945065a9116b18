// What a run printed on its serial line, kept by QEMU itself in a file for each run: it survives the run, hrvm and a
// crash of the host. QEMU only appends to it; the guard of the run gives the older part back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/log_file.hpp"

namespace hrvm::launch {

inline constexpr std::size_t console_logs_kept = 8;  // of a machine, with the one that begins

// Of the run that begins next: its files are numbered, so that no clock decides which is the newest.
machine::Path next_console_log(const machine::Machine& machine);
// Of a run in a throw-away folder, where the store cannot be written.
machine::Path console_log_in(const machine::Path& throw_away_folder);

// An empty file, locked: whoever has the lock's descriptor open is the run. Runs that are older than those kept go. The
// caller holds the machine's lock.
sys::Lock make_console_log(const machine::Path& file);
// Of a run that did not come to be.
void remove_empty_console_log(const machine::Path& file);

// Those there are, the oldest first. What lies beside a throw-away layer out of the store is there while its run lasts.
std::vector<machine::Path> console_logs(const sys::Host& host, const machine::Machine& machine);

// Keeps a log from growing without end, and from lying in memory for long, where a crash of the host would lose it. To
// be asked again and again.
class ConsoleBound {
 public:
  static constexpr std::uint64_t most_bytes = 2 << 20, kept_bytes = 1 << 20;
  explicit ConsoleBound(const machine::Path& log);
  void look();

 private:
  sys::LogFile log_;
  std::uint64_t begin_ = 0;  // of what is left
  std::uint64_t seen_bytes_ = 0;
};

// A log from its first line that is whole, up to where it ends now, or on and on.
class ConsoleReader {
 public:
  ConsoleReader(const machine::Path& log, bool follows);
  // The next bytes; nullopt where there are none now.
  std::optional<std::string> read();
  // Seen before the last read(), it says that no more will come.
  bool run_lasts() const;
  bool lacks_beginning() const { return lacks_beginning_; }

 private:
  machine::Path path_;
  sys::LogFile log_;
  std::uint64_t offset_ = 0;
  std::optional<std::uint64_t> end_;
  bool lacks_beginning_ = false, at_whole_line_ = true;
};

class ConsoleLines;

// What a guest printed, as text that a terminal can be given: escape sequences and control characters are taken out,
// what puts the cursor somewhere begins a new line, and empty lines are left out.
class ConsoleText {
 public:
  ConsoleText();
  ~ConsoleText();
  std::string feed(std::string_view bytes);  // the lines that have ended, each with its newline
  std::string unfinished();                  // what is new of the one that has not: a prompt, say
  bool is_in_line() const { return given_ > 0; }

 private:
  std::unique_ptr<ConsoleLines> lines_;
  std::size_t given_ = 0;  // bytes of the unfinished line
};

}  // namespace hrvm::launch
