// Fd: an open file descriptor that is closed when it goes. Every descriptor hrvm opens is O_CLOEXEC unless a child is
// meant to have it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace hrvm::sys {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

// open(2) with O_CLOEXEC; an Error that names the file when it fails.
Fd open_file(const std::filesystem::path& path, int flags, unsigned mode = 0);
// A folder, to be locked.
Fd open_folder(const std::filesystem::path& path);
// A new, empty file of ours; Error{exists} where there is one of that name.
Fd create_file(const std::filesystem::path& path, unsigned mode = 0600);
// The same for an existing file of ours that is read and changed in place.
Fd open_for_update(const std::filesystem::path& path);
// One that is only read, for who inherits the descriptor.
Fd open_for_reading(const std::filesystem::path& path);
// Puts something in the place of standard streams that are closed, before a file gets their numbers. It reads as empty,
// and writing to it fails, as to what is closed. Called once, first of all in main.
void open_closed_streams();
// An anonymous file in memory, all zeros and taking no memory until it is written, for libraries that want a
// descriptor. `name` is for messages.
Fd memory_file(const std::string& name, std::uint64_t size_bytes);

}  // namespace hrvm::sys
