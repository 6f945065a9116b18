#!/bin/bash
# The main job: an installed system runs as a machine, keeps what it writes, and its disk stays as it was.
. "$(dirname "$0")/lib.sh"

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
import_demo

boot() { # EXPECTED-BOOTS FIRMWARE COMMAND-IN-GUEST [OPTIONS of boot]
  local boots=$1 firmware=$2 command=$3
  shift 3
  guest_start demo "$HRVM" boot demo --console serial "$@"
  guest_wait demo "$READY boots=[0-9]+ fw=[a-z]+"
  assert_equal "$MATCH" "$READY boots=$boots fw=$firmware" "the guest"
  guest_login demo
  guest_run demo "$command"
  guest_poweroff demo
}

for firmware in bios uefi; do
  claim "$firmware: a file written inside is gone after reset"
  boot 1 "$firmware" 'echo kept > /root/note' --firmware "$firmware"
  expect_status 0 hrvm reset demo
  boot 1 "$firmware" '[ ! -e /root/note ]' --firmware "$firmware"
  claim "$firmware: back after undo at the second boot, though the machine has booted since"
  expect_status 0 hrvm undo demo
  boot 2 "$firmware" 'grep kept /root/note' --firmware "$firmware"
  qemu-img check -q "$(active_layer demo)" || fail "qemu-img check finds errors in the layer"
  assert_equal "$(base_identity "$BASE")" "$base" "the base"
  [ "$firmware" = uefi ] || expect_status 0 hrvm reset demo --discard --yes
done

claim "while it runs: list and show say so, changes are refused, a second boot as well"
guest_start demo "$HRVM" boot demo --console serial
guest_wait demo "$READY boots=3"
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines[0].state == "running"'
for change in 'reset demo' 'undo demo' 'remove demo --yes' 'rename demo other' \
  'boot demo --console none'; do
  expect_status 1 hrvm $change
  assert_one_message
  expect_status 1 hrvm $change --json
  assert_json "$T/err" '.kind == "busy"'
done

claim "stop powers it down by ACPI"
expect_status 0 hrvm stop demo
guest_ended demo 5
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines[0].state == "stopped"'
guest_wait demo 'Power down' 1

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
expect_status 0 hrvm verify demo --json
assert_json "$T/out" '.verdict == "unchanged"'
