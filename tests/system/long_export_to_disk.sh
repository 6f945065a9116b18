#!/bin/bash
# The end of a trial that went well: a machine that was changed is written onto a larger disk, and that disk starts by
# itself, by both firmwares, as the machine would. Nothing but QEMU reads it.
. "$(dirname "$0")/lib.sh"
need_root

import_demo
base=$(base_identity "$BASE")
guest_start demo "$HRVM" boot demo --console serial
guest_login demo
guest_run demo 'echo of-the-trial > /root/kept && sync'
guest_poweroff demo

truncate -s 400M "$T/new.img"
head -c 4M /dev/urandom | dd of="$T/new.img" bs=1M conv=notrunc status=none
DISK=$(losetup --find --show "$T/new.img") || skip "there is no loop device to be had"
at_end "losetup -d $DISK 2> /dev/null"

claim "what is on the disk is told by name once it was written, and it is written in spite of what was there"
expect_status 0 hrvm export demo --to "$DISK" --yes new.img --json
assert_json "$T/out" '.verified and .written_bytes > 0 and .written_bytes < .compared_bytes'
expect_status 0 hrvm export demo --to "$DISK" --dry-run --json
assert_json "$T/out" '.target.holds | test("demo$")'
sgdisk -v "$T/new.img" > "$T/sgdisk.log"
assert_contains "$(cat "$T/sgdisk.log")" "No problems found"

for firmware in bios uefi; do
  claim "the new disk starts by itself: $firmware"
  options=()
  if [ "$firmware" = uefi ]; then
    cp /usr/share/OVMF/OVMF_VARS_4M.fd "$T/vars.fd"
    options=(-drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd
      -drive if=pflash,format=raw,file="$T/vars.fd")
  fi
  guest_start "$firmware" qemu-system-x86_64 -accel tcg -machine q35 -m 512 -nodefaults -display none -serial stdio \
    -drive file="$DISK",format=raw,if=virtio,snapshot=on "${options[@]}"
  guest_login "$firmware"
  guest_run "$firmware" 'grep -q of-the-trial /root/kept'
  guest_poweroff "$firmware"
done

claim "the disk that the machine is made of is as it was"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
