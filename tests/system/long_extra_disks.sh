#!/bin/bash
# A machine with another disk and a disc: the guest reads them, cannot write them, and still starts from its own disk.
. "$(dirname "$0")/lib.sh"

BASE=$T/demo.img
demo_disk "$BASE" --vendor-only --uefi-only
import_demo
printf 'written on another disk' > "$T/other.img"
truncate -s 8M "$T/other.img"
qemu-img create -q -f qcow2 -b other.img -F raw "$T/other.qcow2"
printf 'pressed on a disc' > "$T/a, b.iso"
truncate -s 1M "$T/a, b.iso"
others() { base_identity "$T/other.img"; base_identity "$T/other.qcow2"; base_identity "$T/a, b.iso"; }
before=$(others)
at_end 'hrvm stop demo --force > /dev/null 2>&1'

boots_with() { # BUS DISK
  guest_start demo "$HRVM" boot demo --ephemeral --console serial --bus "$1" --disk "$T/other.qcow2" --iso "$T/a, b.iso,boot"
  guest_login demo
  guest_run demo "for i in 1 2 3 4 5 6 7 8 9; do [ -b $2 ] && break; sleep 1; done; head -c 23 $2 | grep 'written on another'"
  guest_run demo "! echo overwritten > $2 && ! blockdev --setrw $2 || [ \$(blockdev --getro $2) = 1 ]"
  guest_poweroff demo
}

claim "the guest reads another disk, and starts from its own by its boot entry when the disc has nothing to start from"
boots_with virtio /dev/vdb

claim "nobody wrote to them"
assert_equal "$(others)" "$before" "the disks"
