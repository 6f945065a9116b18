#include "hrvm/launch/console_log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/runs.hpp"
#include "launch/run/console_lines.hpp"

namespace hrvm::launch {

namespace {

using namespace std::chrono_literals;
using machine::Path;
using sys::Lock;

constexpr std::size_t chunk_bytes = 64 << 10;
// What is given back ends at the end of a block of any filesystem.
constexpr std::uint64_t grain_bytes = 128 << 10;

struct NumberedLog {
  std::uint64_t number;
  Path path;
};

// The oldest first.
std::vector<NumberedLog> numbered_logs(const Path& folder) {
  std::vector<NumberedLog> logs;
  for (const auto& name : sys::list_directory(folder)) {
    const auto number = base::parse_unsigned(Path(name).stem().string());
    if (number && name == fmt::format("{}.log", *number)) logs.push_back({*number, folder / name});
  }
  std::ranges::sort(logs, {}, &NumberedLog::number);
  return logs;
}

// A run that lasts keeps its own, however many have begun since.
void remove_older(const Path& folder, std::size_t kept) {
  auto logs = numbered_logs(folder);
  logs.resize(logs.size() - std::min(logs.size(), kept));
  for (const auto& log : logs)
    if (const auto unused = Lock::try_take(log.path, Lock::Mode::exclusive)) sys::remove_all(log.path);
}

std::string from_first_line(std::string bytes) {
  bytes.erase(0, bytes.find_first_not_of('\0'));
  const auto end = bytes.find('\n');
  return end == bytes.npos ? bytes : bytes.substr(end + 1);
}

// Bytes at the end that begin a character of UTF-8, and do not end it.
std::size_t begun_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u) ? back : 0;
  }
  return 0;
}

}  // namespace

Path next_console_log(const machine::Machine& machine) {
  std::vector<NumberedLog> logs;
  // What is wrong with the folder is told where the file is made.
  if (sys::status(machine.consoles_folder()).type == sys::FileType::directory)
    logs = numbered_logs(machine.consoles_folder());
  return machine.consoles_folder() / fmt::format("{}.log", logs.empty() ? 1 : logs.back().number + 1);
}

Path console_log_in(const Path& throw_away_folder) { return throw_away_folder / "console.log"; }

Lock make_console_log(const Path& file) {
  const auto folder = file.parent_path();
  sys::make_directories(folder);
  remove_older(folder, console_logs_kept - 1);
  sys::create_file(file);
  sys::sync_directory(folder);
  // Somebody who follows the newest may be looking whether its run lasts.
  if (auto lock = Lock::try_take(file, Lock::Mode::exclusive, 1s)) return std::move(*lock);
  throw base::Error(base::ErrorKind::busy, "another process has locked the file of the console").on(file);
}

void remove_empty_console_log(const Path& file) {
  if (const auto status = sys::status(file); status.type == sys::FileType::regular && status.size_bytes == 0)
    sys::remove_all(file);
}

std::vector<Path> console_logs(const sys::Host& host, const machine::Machine& machine) {
  std::vector<Path> paths;
  for (auto& log : numbered_logs(machine.consoles_folder())) paths.push_back(std::move(log.path));
  for (const auto& folder : scratch_folders(machine::run_folder(host, machine.definition)))
    if (sys::status(console_log_in(folder)).type == sys::FileType::regular) paths.push_back(console_log_in(folder));
  return paths;
}

ConsoleBound::ConsoleBound(const Path& log) : log_(sys::LogFile::to_bound(log)) {}

void ConsoleBound::look() {
  const auto size = log_.size_bytes();
  if (size != std::exchange(seen_bytes_, size)) log_.begin_writing();
  if (size < begin_ + most_bytes) return;
  const auto begin = (size - kept_bytes) / grain_bytes * grain_bytes;
  begin_ = log_.give_back_before(begin) ? begin : 0;
}

ConsoleReader::ConsoleReader(const Path& log, bool follows) : path_(log), log_(sys::LogFile::to_read(log)) {
  offset_ = log_.data_from(0);
  if (!follows) end_ = log_.size_bytes();
  lacks_beginning_ = offset_ > 0;
  at_whole_line_ = !lacks_beginning_;
}

std::optional<std::string> ConsoleReader::read() {
  // It was emptied where the filesystem gives no part of a file back.
  if (log_.size_bytes() < offset_) offset_ = 0;
  offset_ = log_.data_from(offset_);
  const auto left = end_ ? *end_ - std::min(*end_, offset_) : chunk_bytes;
  auto bytes = log_.read(offset_, std::size_t(std::min<std::uint64_t>(left, chunk_bytes)));
  if (bytes.empty()) return std::nullopt;
  offset_ += bytes.size();
  if (!std::exchange(at_whole_line_, true)) bytes = from_first_line(std::move(bytes));
  return bytes;
}

bool ConsoleReader::run_lasts() const {
  try {
    return !Lock::try_take(path_, Lock::Mode::shared);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    return false;
  }
}

ConsoleText::ConsoleText() : lines_(std::make_unique<ConsoleLines>()) {}
ConsoleText::~ConsoleText() = default;

std::string ConsoleText::feed(std::string_view bytes) {
  std::string text;
  for (const auto& line : lines_->feed(bytes))
    text += base::printable(line.substr(std::min(std::exchange(given_, 0), line.size()))) + "\n";
  return text;
}

std::string ConsoleText::unfinished() {
  const std::string_view line = lines_->unfinished();
  const auto given = std::min(given_, line.size());
  given_ = std::max(given, line.size() - begun_bytes(line));
  return base::printable(line.substr(given, given_ - given));
}

}  // namespace hrvm::launch
