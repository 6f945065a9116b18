// Host: everything hrvm knows of the machine it runs on, handed in from outside.
//
// `root` goes before every absolute path of the host ("/sys", "/dev", "/proc", "/run/udev", "/etc", "/usr"): so a
// recorded machine replays from a folder. Nothing in hrvm reads a global instead of this; tests build a Host of their
// own.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hrvm/base/guid.hpp"
#include "hrvm/base/time.hpp"

namespace hrvm::sys {

class Runner;

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  unsigned columns = 80;  // of the terminal behind out
};

// Of the filesystem behind a path.
struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t available_bytes = 0;  // to this user: what is kept for root, or beyond a quota, is in neither
};

struct Host {
  std::filesystem::path root = "/";
  std::map<std::string, std::string> environment;
  uid_t uid = 0;  // effective
  Streams streams;
  Runner& runner;
  std::function<base::Time()> now;
  std::function<std::array<std::uint8_t, 16>()> entropy;  // 16 unpredictable bytes a call
  // The nearest existing parent counts for what is not there yet.
  std::function<Space(const std::filesystem::path& real)> space;

  // An absolute path of the host, with the root before it.
  std::filesystem::path path(std::string_view absolute) const;
  // The other way: what the host itself would call it.
  std::string host_path(const std::filesystem::path& rooted) const;
  bool is_recorded() const { return root != "/"; }
  bool is_root() const { return uid == 0; }
  std::optional<std::string> variable(const std::string& name) const;
  base::Guid new_guid() const { return base::Guid::random(entropy()); }

  // The first of these absolute paths that is there, as the host calls it.
  std::optional<std::string> first_existing(std::initializer_list<std::string_view> absolute_paths) const;
  // An executable on PATH (under root), with /usr/sbin and /sbin searched as well.
  std::optional<std::string> find_program(std::string_view name) const;
};

// The Host this process runs on; made once, in main.
Host real_host(Runner& runner);

}  // namespace hrvm::sys
