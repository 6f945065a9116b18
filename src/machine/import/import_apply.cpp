#include "hrvm/base/error.hpp"
#include "hrvm/machine/import.hpp"
#include "machine/change/change_apply.hpp"

namespace hrvm::machine {

Machine apply_import(const Store& store, const ImportPlan& plan) {
  const auto lock = store.begin(plan.name);
  const Machine unborn{plan.name, store.folder() / plan.name, 0, plan.change.definition};
  try {
    for (const auto& layer : plan.change.new_layers) write_layer(unborn, layer);
    return store.commit(plan.name, plan.change.definition);
  } catch (const base::Error&) {
    if (!store.contains(plan.name)) sys::remove_all(unborn.folder);
    throw;
  }
}

}  // namespace hrvm::machine
