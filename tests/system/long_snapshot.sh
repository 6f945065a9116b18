#!/bin/bash
# A snapshot is the whole state: what was written after it is gone after a revert.
. "$(dirname "$0")/lib.sh"

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
import_demo --firmware uefi

session() { # COMMAND-IN-GUEST [MACHINE@SNAP and options]
  local command=$1
  shift
  guest_start demo "$HRVM" boot "${@:-demo}" --console serial
  guest_login demo
  guest_run demo "$command"
  guest_poweroff demo
}

claim "snapshot, change, revert, boot shows the snapshot's state"
session 'echo one > /root/state'
expect_status 0 hrvm snapshot create demo@one -m 'first state'
session 'echo two > /root/state; touch /root/later'
expect_status 0 hrvm snapshot create demo@two
session 'grep two /root/state; echo three > /root/state'
expect_status 0 hrvm snapshot revert demo@one
session 'grep one /root/state && [ ! -e /root/later ]'

claim "a snapshot boots in a throw-away layer: nothing of it stays, in the snapshot or in the machine"
snapshot_layer() { echo "$HRVM_STORE/demo/layers/$(jq -r --arg name "$1" '.snapshots[] | select(.name == $name).layer' "$HRVM_STORE/demo/current").qcow2"; }
before=$(layers demo) two=$(shown "$(snapshot_layer two)") active=$(shown "$(active_layer demo)")
session 'grep two /root/state && [ -e /root/later ] && echo lost > /root/state' demo@two
assert_equal "$(layers demo)" "$before" "the layers"
assert_equal "$(shown "$(snapshot_layer two)")" "$two" "what the snapshot shows"
assert_equal "$(shown "$(active_layer demo)")" "$active" "what the machine shows"

claim "--ephemeral leaves no trace"
before=$(shown "$(active_layer demo)")
session 'echo lost > /root/state' demo --ephemeral
assert_equal "$(shown "$(active_layer demo)")" "$before" "what the machine shows"
expect_status 0 hrvm reset demo
assert_equal "$(find "$HRVM_STORE/demo/tmp" -type f 2> /dev/null)" "" "throw-away layers"

claim "after deleting the snapshot between, the others boot as they were"
expect_status 0 hrvm snapshot delete demo@one --discard --yes
expect_status 0 hrvm snapshot revert demo@two
session 'grep two /root/state && [ -e /root/later ]'
assert_equal "$(base_identity "$BASE")" "$base" "the base"
