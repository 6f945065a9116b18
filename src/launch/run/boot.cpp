#include "hrvm/launch/boot.hpp"

#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/console_log.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/new_variables.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/launch/variable_store.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/sys/files.hpp"
#include "launch/run/memory_feed.hpp"

namespace hrvm::launch {

namespace {

std::string variables_of(const Boot& boot, const sys::Host& host, const Listener& listener) {
  if (boot.variables) return sys::read_file(*boot.variables, largest_flash);
  return new_variables(host, listener, *boot.plan.firmware.uefi, boot.base);
}

// QEMU keeps its folder locked.
void make_throw_away(Boot& boot, const sys::Host& host, const Listener& listener) {
  const auto& scratch = boot.request.scratch;
  boot.throw_away.emplace(boot.machine, boot.state, ThrowAway::folder_of(boot.machine, boot.id, scratch));
  if (scratch) note_scratch(boot.plan.control.run_folder, boot.throw_away->folder());
  boot.keep.fds.push_back(boot.throw_away->lock_fd());
  if (boot.plan.companions.tpm) boot.throw_away->copy_tpm(boot.machine);
  if (boot.plan.firmware.uefi) boot.throw_away->write_nvram(variables_of(boot, host, listener));
}

// A boot is worth more than what is kept of it.
void keep_console(Boot& boot, const Listener& listener) {
  auto& log = boot.plan.consoles.log;
  if (log.empty()) return;
  try {
    boot.console_lock.emplace(make_console_log(log));
    boot.keep.fds.push_back(boot.console_lock->fd());
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    listener.warn("what this run prints on its serial line is not kept: " + error.message());
    log.clear();
  }
}

// Its size was held to the definition. What an older hrvm saved QEMU alone judges.
void open_memory(Boot& boot) {
  auto& memory = *boot.plan.memory;
  make_run_folder(boot.plan);
  boot.memory = memory.sha256.empty() ? sys::open_for_reading(memory.file) : feed_memory(boot.plan);
  memory.fd = boot.memory.get();
  boot.keep.fds.push_back(memory.fd);
}

}  // namespace

void make_run_folder(const LaunchPlan& plan) {
  sys::make_private_directories(plan.control.run_folder);
  if (plan.companions.tpm) link_tpm_folder(*plan.companions.tpm);
}

void make(Boot& boot, const sys::Host& host, const Listener& listener) {
  if (boot.request.run_by != BootRequest::RunBy::libvirt) define_left_over(host, listener, boot.machine);
  machine::give_back_reserved(boot.machine);
  if (boot.request.ephemeral)
    make_throw_away(boot, host, listener);
  else if (boot.lacks_variables())
    boot.machine = give_variables(boot.store, boot.machine, boot.id,
                                  new_variables(host, listener, *boot.plan.firmware.uefi, boot.base));
  keep_console(boot, listener);
  if (boot.plan.memory) open_memory(boot);
}

bool stays_in_background(const Boot& boot) {
  return boot.throw_away && boot.request.launch.detach &&
         block::image_use(boot.throw_away->layer()) == block::ImageUse::write;
}

void clean_up(const Boot& boot) {
  if (!boot.throw_away) return;
  boot.throw_away->remove();
  sys::remove_all(boot.plan.control.run_folder);
}

void clean_up_failed(const Boot& boot) {
  clean_up(boot);
  if (boot.console_lock) remove_empty_console_log(boot.plan.consoles.log);
}

}  // namespace hrvm::launch
