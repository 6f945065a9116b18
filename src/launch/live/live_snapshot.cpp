#include "hrvm/launch/live_snapshot.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/pending_snapshot.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/sys/file_size_limit.hpp"
#include "launch/live/bounds.hpp"
#include "launch/live/control_socket.hpp"
#include "launch/live/guest_freeze.hpp"
#include "launch/live/live_layers.hpp"
#include "launch/live/memory_save.hpp"
#include "launch/qemu/memory_needs.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using machine::Machine;
using Clock = std::chrono::steady_clock;

// A busy host takes long for it; the guest goes on meanwhile, but for the transaction.
constexpr std::chrono::seconds order_limit{60};

bool is_run_of_active_state(const Run& run) {
  const auto record = run_record(run.run_folder);
  return !record || !record->snapshot;
}

// What its guest writes is in no layer of the machine's, and goes with it.
void check_no_throw_away(const sys::Host& host, const Machine& machine) {
  if (std::ranges::any_of(throw_away_runs(host, machine), is_run_of_active_state))
    throw Error(ErrorKind::busy,
                fmt::format("machine {0} runs in a throw-away layer, of which no snapshot is made", machine.name))
        .hint(fmt::format("stop it first, which keeps nothing of what it did: hrvm stop {}", machine.name));
}

Error runs_in_libvirt(const Machine& machine, const Domain& domain) {
  return Error(ErrorKind::refused, fmt::format("machine {} runs in libvirt at {}, whose QEMU takes no orders from hrvm",
                                               machine.name, domain.record().uri))
      .hint(fmt::format("stop it first: hrvm stop {}", machine.name));
}

// QEMU has what the definition says.
void check_writes_to_active(const Machine& machine, const std::vector<LiveDisk>& written) {
  for (std::size_t disk = 0; disk < written.size(); ++disk) {
    const auto active = machine.layer_path(machine.definition.active.layer, disk);
    if (!sys::is_same_file(written[disk].file, active))
      throw Error(ErrorKind::external, fmt::format("the guest of {} writes to {}, and its active layer is {}",
                                                   machine.name, written[disk].file.string(), active.string()))
          .on(active)
          .hint("another program has changed its disks: stop the machine, and boot it again");
  }
}

// All disks at once, or none.
Json transaction(const std::vector<LiveDisk>& written, const std::vector<AddedLayer>& layers) {
  Json::Array actions;
  for (std::size_t disk = 0; disk < written.size(); ++disk) {
    auto data = Json::object().set("node", written[disk].node).set("overlay", layers[disk].node);
    actions.push_back(Json::object().set("type", "blockdev-snapshot").set("data", std::move(data)));
  }
  return Json::object().set("actions", std::move(actions));
}

// The guard sees within a second that QEMU writes to other layers; until then it would be held to the bounds of the old
// ones, which may be larger by all that these hold.
void bound(Qmp& qmp, const sys::Host& host, const Machine& machine, const std::vector<AddedLayer>& layers) {
  const auto qemu = qmp.process();
  if (!qemu || !sys::file_size_limit(*qemu)) return;
  std::vector<sys::FileStatus> files;
  for (const auto& layer : layers) files.push_back(sys::status(layer.file));
  const auto& nvram = machine.definition.active.nvram;
  const auto least = nvram ? sys::status(machine.nvram_path(*nvram)).size_bytes : 0;
  const auto bounds = bounds_of(files, room_in(LayerRoom(host, machine.folder / "layers").space()), least);
  sys::limit_file_size(*qemu, std::ranges::max(bounds));
}

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - start);
}

// From here to its end the guest's filesystems may stand still, and its processors for the transaction.
std::chrono::milliseconds go_on_in(Qmp& qmp, GuestFreeze& freeze, const Json& transaction) {
  const auto start = Clock::now();
  freeze.freeze();
  qmp.execute("transaction", transaction, order_limit);
  freeze.thaw();
  return since(start);
}

// Its disks are switched at the moment that its memory is of. What was sent before is no harm where that fails.
std::chrono::milliseconds go_on_in(Qmp& qmp, MemorySave& save, const Json& transaction,
                                   const sys::ProgressCallback& progress) {
  save.copy(progress);
  qmp.execute("transaction", transaction, order_limit);
  save.finish();
  return since(save.ran_until());
}

Error although_taken(const Error& error, const Machine& machine, const std::string& name, bool with_memory) {
  return Error(error.kind(), fmt::format("{}; {}@{} was made all the same{}", error.message(), machine.name, name,
                                         with_memory ? ", without the guest's memory" : ""))
      .hint(error.hint());
}

void check_room(const sys::Host& host, const Machine& machine, std::uint64_t memory_bytes) {
  const auto space = host.space(machine.folder);
  if (space.available_bytes >= memory_bytes + machine::room_to_keep(space)) return;
  throw Error(ErrorKind::refused,
              fmt::format("the memory of {} may take {}, and the store has {} left", machine.name,
                          base::format_bytes(memory_bytes), base::format_bytes(space.available_bytes)))
      .on(machine.folder)
      .hint("make room, or leave out --with-memory; --allow-low-space goes on all the same");
}

std::uint64_t memory_bytes_of(Qmp& qmp) {
  const auto answer = qmp.execute("query-memory-size-summary", Json::object(), order_limit);
  if (const auto bytes = answer["base-memory"].unsigned_integer()) return *bytes;
  throw Error(ErrorKind::external, "QEMU does not tell how much memory its guest has");
}

// swtpm writes what its TPM remembers to a file of the machine's, which is no part of a snapshot.
void check_no_tpm(const std::vector<machine::Mark>& needs, const std::string& name) {
  const auto is_tpm = [](const machine::Mark& mark) { return mark.what.starts_with("device tpm"); };
  if (std::ranges::none_of(needs, is_tpm)) return;
  throw Error(ErrorKind::unsupported,
              fmt::format("{} has a TPM, whose state is the machine's and is not kept with a guest's memory", name))
      .hint("leave out --with-memory");
}

// What is saved, as far as it is known before.
machine::SavedMemory memory_to_save(const sys::Host& host, Qmp& qmp, const Machine& machine, std::string id) {
  check_can_be_saved(qmp, machine.name);
  machine::SavedMemory memory{.id = std::move(id), .needs = needs_of_run(host, qmp)};
  check_no_tpm(memory.needs, machine.name);
  memory.machine_type = versioned_machine_type(qmp, memory.needs);
  return memory;
}

// A snapshot of the machine that is under way.
class Making {
 public:
  Making(const sys::Host& host, const machine::Store& store, const Machine& machine, const LiveRequest& request)
      : host_(host),
        store_(store),
        machine_(machine),
        request_(request),
        run_folder_(machine::run_folder(host, machine.definition)),
        qmp_(control_of(run_folder_)) {
    written_ = live_disks(*qmp_, machine.definition.disks.size());
    check_writes_to_active(machine, written_);
    if (request.with_memory) plan_memory();
    const bool freezes = wanted_freeze() != Freeze::never;
    freeze_.emplace(wanted_freeze(), freezes ? find_agent(host, *qmp_, run_folder_) : std::nullopt, machine.name,
                    run_folder_);
  }

  LiveSnapshot make(const machine::Change& pending) {
    LiveSnapshot made;
    const auto before = apply(store_, machine_, pending, no_progress);
    const auto layers = layers_to_add(before, written_);
    for (const auto& layer : layers) qmp_->execute("blockdev-add", added_layer(layer), order_limit);
    if (request_.with_memory) begin_save(before);
    const auto orders = transaction(written_, layers);
    made.stood = save_ ? go_on_in(*qmp_, *save_, orders, request_.progress) : go_on_in(*qmp_, *freeze_, orders);
    keeper_.reset();
    bound(*qmp_, host_, before, layers);
    if (save_) {
      const auto saved = save_->await_file();
      memory_->size_bytes = saved.bytes;
      memory_->sha256 = saved.sha256;
    }
    const auto consistency = save_ ? machine::Consistency::memory : freeze_->consistency();
    made.machine =
        apply(store_, before, plan_pending_kept(before, consistency, draw(host_, store_), memory_), no_progress);
    if (save_) save_->keep();
    close_to_writes(*qmp_, made.machine, machine_.definition.active.layer);
    made.findings = freeze_->findings();
    return made;
  }

  // Where it failed: nobody else is heard by QEMU before.
  void let_go() {
    freeze_->thaw();
    save_.reset();
    keeper_.reset();
    qmp_.reset();
  }

 private:
  // A guest that was frozen when its memory was saved would go on frozen.
  Freeze wanted_freeze() const { return request_.with_memory ? Freeze::never : request_.freeze; }

  void plan_memory() {
    memory_ = memory_to_save(host_, *qmp_, machine_, store_.new_id());
    memory_bytes_ = memory_bytes_of(*qmp_);
    if (!request_.allow_low_space) check_room(host_, machine_, memory_bytes_);
  }

  void begin_save(const Machine& before) {
    const auto qemu = qmp_->process();
    if (qemu) keeper_.emplace(before.folder / "layers", request_.machine_lock, *qemu);
    save_.emplace(host_, *qmp_, run_folder_, memory_bytes_,
                  MemoryFile::Into{before.memory_path(memory_->id), request_.allow_low_space});
  }

  static void no_progress(std::uint64_t) {}

  const sys::Host& host_;
  const machine::Store& store_;
  const Machine& machine_;
  const LiveRequest& request_;
  machine::Path run_folder_;
  std::optional<Qmp> qmp_;
  std::vector<LiveDisk> written_;
  std::optional<GuestFreeze> freeze_;
  std::optional<machine::SavedMemory> memory_;
  std::uint64_t memory_bytes_ = 0;
  std::optional<LockKeeper> keeper_;
  std::optional<MemorySave> save_;
};

}  // namespace

bool runs_live(const sys::Host& host, const Machine& machine) {
  const auto domain = active_domain(host, machine);
  if (domain) throw runs_in_libvirt(machine, *domain);
  const auto written = machine::written_layer(machine);
  if (!written) {
    check_no_throw_away(host, machine);
    return false;
  }
  if (machine.definition.is_on_folder())
    throw machine::running(machine, "runs on a folder, of which a snapshot is made only while it is stopped");
  if (auto other = machine::held_by_tool(machine.name, *written)) throw *std::move(other);
  return true;
}

LiveSnapshot make_live_snapshot(const sys::Host& host, const machine::Store& store, const Machine& machine,
                                const machine::Change& pending, const LiveRequest& request) {
  Making making(host, store, machine, request);
  try {
    return making.make(pending);
  } catch (const Error& error) {
    making.let_go();
    const auto settled = load_settled(host, store, machine.name);
    const auto* made = settled.definition.find_snapshot(pending.definition.pending->name);
    if (made) throw although_taken(error, machine, made->name, request.with_memory && !made->memory);
    throw;
  }
}

}  // namespace hrvm::launch
