#!/bin/bash
# Any number of machines on one base, at the same time.
. "$(dirname "$0")/lib.sh"

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")

claim "the name comes from the system's host name, a second one gets a number"
expect_status 0 hrvm import "$BASE" --memory 512M --cpus 1
expect_status 0 hrvm import "$BASE" --memory 512M --cpus 1
expect_status 0 hrvm list --plain
assert_equal "$(cut -f1 <<< "$OUT")" $'demo\ndemo-2' "the machines"

claim "two run at once and do not see each other's files"
for machine in demo demo-2; do guest_start "$machine" "$HRVM" boot "$machine" --console serial; done
for machine in demo demo-2; do
  guest_wait "$machine" "$READY boots=1"
  guest_login "$machine"
  guest_run "$machine" "echo $machine > /root/name"
done
expect_status 0 hrvm list --json
assert_json "$T/out" '[.machines[].state] == ["running", "running"]'
for machine in demo demo-2; do
  guest_run "$machine" "[ \$(cat /root/name) = $machine ]"
  guest_poweroff "$machine"
done
assert_equal "$(base_identity "$BASE")" "$base" "the base"

macs=$(jq -r .hardware[0].mac "$HRVM_STORE"/*/current | sort -u | wc -l)
assert_equal "$macs" 2 "different MAC addresses"
