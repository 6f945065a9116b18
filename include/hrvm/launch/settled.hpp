// A machine as it is once a snapshot that was cut off is brought to an end: what every command loads that changes or
// starts one.
#pragma once

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

// As Store::load(), for who holds the machine's lock. Error{busy} where its QEMU runs and does not answer, so that
// nobody can tell which layer the guest writes to.
machine::Machine load_settled(const sys::Host& host, const machine::Store& store, const std::string& name);

}  // namespace hrvm::launch
