#!/bin/bash
# Disks that need more than the defaults: 4096-byte logical sectors, a loader under a vendor's name only, other buses.
. "$(dirname "$0")/lib.sh"

claim "4Kn boots by UEFI, to a system that sees 4096-byte sectors"
demo_disk "$T/4kn.img" --4kn
base=$(base_identity "$T/4kn.img")
expect_status 0 hrvm import "$T/4kn.img" 4kn --memory 512M --cpus 1
guest_start 4kn "$HRVM" boot 4kn --console serial
guest_wait 4kn "$READY boots=1 fw=uefi"
guest_login 4kn
guest_run 4kn '[ "$(cat /sys/block/vda/queue/logical_block_size)" = 4096 ]'
guest_poweroff 4kn
assert_equal "$(base_identity "$T/4kn.img")" "$base" "the base"

claim "by BIOS it is refused with the reason"
expect_status 1 hrvm boot 4kn --firmware bios --print
assert_one_message
assert_contains "$ERR" 4096 "the message"

claim "a disk whose only loader has a vendor's name boots as it is imported, by BIOS"
demo_disk "$T/vendor.img" --vendor-only
expect_status 0 hrvm import "$T/vendor.img" vendor --memory 512M --cpus 1
expect_status 0 hrvm boot vendor --wait-for "$READY boots=1 fw=bios" --timeout 100

claim "the other buses: NVMe and SCSI"
demo_disk "$T/demo.img"
for bus in nvme scsi; do
  expect_status 0 hrvm import "$T/demo.img" "$bus" --memory 512M --cpus 1 --bus "$bus"
  expect_status 0 hrvm boot "$bus" --wait-for "$READY boots=1" --timeout 100
done
