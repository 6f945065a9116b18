// The domain that a machine is in libvirt, and orders to it. All goes through virsh, by the machine's UUID, so that a
// domain that was renamed there is found. libvirt may not answer: whatever asks it throws Error{external} when it is
// out of reach or refuses, and Error{not_found} where virsh is not installed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/guid.hpp"
#include "hrvm/launch/ways.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

// Where a machine was given to libvirt: the file libvirt.json in its folder. It is no part of a definition, as what a
// reset or an undo changes does not change it.
struct DomainRecord {
  std::string uri;
  std::string name;  // of the domain
  base::Guid uuid;   // of the machine and the domain
  // libvirt runs it on this host, so that the lock on the machine's layer shows whether it runs.
  bool is_local() const;
  friend bool operator==(const DomainRecord&, const DomainRecord&) = default;
};
machine::Path domain_record_path(const machine::Path& machine_folder);
// Null for a machine that was never given to libvirt. Error{corrupt} for a file that says nothing of the kind.
std::optional<DomainRecord> domain_record(const machine::Path& machine_folder);
void keep_domain_record(const machine::Path& machine_folder, const DomainRecord& record);
void forget_domain_record(const machine::Path& machine_folder);

enum class DomainState { missing, off, running, paused };

// Whether a domain's XML bears hrvm's mark and this UUID: only such a one is undefined. False for what is no domain.
bool is_domain_of(std::string_view xml, const base::Guid& uuid);

// The same domain for the machine as it is now: its name, its layers, its variables, and its folder. The base below the
// layers stays as it was. `before` is the machine that the XML was made for. Error{unsupported} when the XML does not
// have the machine's disk.
std::string domain_xml_after(std::string_view xml, const machine::Machine& before, const machine::Machine& now);

// Which domains are active, asked of each libvirt once for all of them.
class ActiveDomains {
 public:
  explicit ActiveDomains(const sys::Host& host) : host_(host) {}
  // Off also where there is no such domain. Null where that libvirt does not answer in a short time.
  std::optional<DomainState> state(const DomainRecord& record);
  // Of those that did not answer.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  struct Answer {
    std::string uri;
    bool told = false;
    std::string active, paused;  // their UUIDs, as virsh lists them
  };
  const Answer& answer_of(const std::string& uri);
  Answer ask(const std::string& uri);
  const sys::Host& host_;
  std::vector<Answer> answers_;
  std::vector<std::string> complaints_;
};

class Domain {
 public:
  Domain(const sys::Host& host, DomainRecord record) : host_(host), record_(std::move(record)) {}
  const DomainRecord& record() const { return record_; }

  DomainState state(std::chrono::milliseconds limit = std::chrono::seconds{10}) const;
  bool is_active() const;  // running or paused

  // As their namesakes in control.hpp. A restart by power-down is a new QEMU of the same domain.
  StopWay stop(std::chrono::seconds patience, bool at_once) const;
  bool pause() const;
  bool resume() const;
  RestartWay restart(std::chrono::seconds patience, bool at_once) const;
  // `file` is written and removed. Error{unsupported} where libvirt gives another format.
  std::string screenshot(const machine::Path& file) const;
  // This process becomes virsh. Returns only by throwing.
  void become_console() const;

  // `file` is where virsh reads the XML. A domain of this UUID and name that is there already is changed to it.
  // Error{exists} when another machine's domain has the name.
  void define(const std::string& xml, const machine::Path& file) const;
  void start() const;

  // The definition, when the domain is off and can be undefined and defined again with nothing lost; null when there
  // is no such domain. Error{busy} while it is active, when libvirt keeps its memory (a managed save), and when it does
  // not say that it is this machine's.
  std::optional<std::string> definition() const;
  // Error{busy} when libvirt keeps the guest's memory, as it was saved while it ran: its disk must not move on without.
  void check_nothing_saved() const;
  bool starts_by_itself() const;
  void set_starts_by_itself(bool yes = true) const;
  // The variables stay.
  void undefine() const;
  // With the variables, a managed save and what libvirt knows of snapshots. False where there is none, or where it is
  // not this machine's any more.
  bool undefine_for_good() const;

  // What a person would type: "virsh -c qemu:///system undefine --nvram web".
  std::string command_line(std::string_view words) const;

 private:
  bool waits_until_off(std::chrono::steady_clock::time_point deadline) const;
  std::string info(std::string_view name) const;
  std::string order(std::vector<std::string> words) const;
  const sys::Host& host_;
  DomainRecord record_;
};

// Before the machine is defined as `next`: where it was defined otherwise, by another name or in another libvirt, that
// domain goes. Throws as Domain::definition.
void undefine_elsewhere(const sys::Host& host, const machine::Machine& machine, const DomainRecord& next);

// While a machine changes, libvirt has no definition of it: one that named a layer which the change freezes could be
// started meanwhile, and would write to it. What it was is kept in the machine's folder until it is defined again: a
// change that is cut off in between loses nothing.
class DomainAway {
 public:
  // Undefines the domain; null for a machine without one. Throws as Domain::definition, before anything has changed.
  static std::optional<DomainAway> take(const sys::Host& host, const machine::Machine& machine);
  // The domain that a change which was cut off has left undefined. Throws as Domain::state; Error{corrupt}.
  static std::optional<DomainAway> left_over(const sys::Host& host, const machine::Machine& machine);
  // For a machine that is given to libvirt anew.
  static void forget(const machine::Path& machine_folder);
  // Its next boot makes the UEFI variables that the domain is to have.
  bool waits_for_variables(const machine::Machine& now) const;
  // Defines it as it was.
  void put_back() const;
  // Defines it for the machine as it is now. False when that is left to the next boot, which makes its UEFI variables.
  bool define_for(const machine::Machine& now) const;

 private:
  DomainAway(const sys::Host& host, machine::Machine before, Domain domain, std::string xml, bool starts_by_itself)
      : host_(host),
        before_(std::move(before)),
        domain_(std::move(domain)),
        xml_(std::move(xml)),
        starts_by_itself_(starts_by_itself) {}
  void keep() const;
  void define(const Domain& domain, const std::string& xml) const;
  const sys::Host& host_;
  machine::Machine before_;
  Domain domain_;
  std::string xml_;
  bool starts_by_itself_ = false;
};

}  // namespace hrvm::launch
