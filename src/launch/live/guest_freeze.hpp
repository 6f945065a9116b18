// The filesystems of a guest that runs, held at rest by its agent. They are let go of again however that ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/launch/live_snapshot.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/sys/lock.hpp"
#include "launch/qemu/guest_agent.hpp"

namespace hrvm::launch {

// What a guest may take to answer; it is the guest's own filesystems that wait.
inline constexpr std::chrono::seconds agent_limit{5};

// Null where the guest has no agent.
std::optional<GuestAgent> find_agent(const sys::Host& host, Qmp& qmp, const machine::Path& run_folder);

// Ends a freeze that its hrvm did not live to end, where there is one.
void thaw_left_over(const sys::Host& host, Qmp& qmp, const machine::Path& run_folder);

class GuestFreeze {
 public:
  // `subject` is the machine, for findings. Error{unsupported} where a freeze is required and there is no agent.
  GuestFreeze(Freeze wanted, std::optional<GuestAgent> agent, std::string subject, const machine::Path& run_folder);
  GuestFreeze(const GuestFreeze&) = delete;
  GuestFreeze& operator=(const GuestFreeze&) = delete;
  ~GuestFreeze() { thaw(); }

  // Error{external} where it is required and fails.
  void freeze();
  // Whether they were at rest until now, which a guest can end by itself.
  void thaw();

  machine::Consistency consistency() const;
  const std::vector<base::Finding>& findings() const { return findings_; }

 private:
  bool try_freeze();
  void mark();
  void add(std::string id, base::Severity severity, std::string message, std::string remedy);

  Freeze wanted_;
  std::optional<GuestAgent> agent_;
  std::string subject_;
  machine::Path mark_;             // is there, and locked by us, while the guest may stand still
  std::optional<sys::Lock> lock_;  // of it
  bool is_asked_ = false;          // to freeze, and not to thaw since
  bool is_frozen_ = false;         // says the guest
  bool was_held_ = false;          // until it was to thaw
  std::vector<base::Finding> findings_;
};

}  // namespace hrvm::launch
