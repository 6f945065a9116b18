// What speaks against handing a folder of the host's to a guest: a base is never written, and what a mounted base shows
// is not what its guest should see of it; a guest that reaches into the store is let into all machines.
#pragma once

#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

// Of a machine in this store. Error{not_found} where the folder is not there, {usage} where it is none; {refused} where
// it lies in the store, or the store in it, or on one of the machine's disks, or where one of these is mounted in it;
// if the guest may write, also where the base of any machine of the store lies in it, or it in that.
void check_share(const sys::Host& host, const Store& store, const Definition& definition, const Share& share);

}  // namespace hrvm::machine
