#!/bin/bash
# A disk whose only loader is where a boot entry leads, as installers leave it, boots by UEFI: OVMF takes the entry that
# the machine's variables were given, keeps it, and the disk stays as it was.
. "$(dirname "$0")/lib.sh"

BASE=$T/demo.img
demo_disk "$BASE" --vendor-only --uefi-only
base=$(base_identity "$BASE")
import_demo

boots() { # EXPECTED [OPTIONS of boot]
  local expected=$1
  shift
  expect_status 0 hrvm boot demo --wait-for "$READY.*" --timeout 120 "$@"
  assert_contains "$OUT" "$READY boots=$expected fw=uefi" "the console"
}

first_entry() { jq -r '.nvram.boot[0] | .name + " " + .description + " " + .path' "$T/out"; }
OURS='Boot0000 debian HD(2,GPT,d3300000-0000-4000-8000-000000000002)/\EFI\debian\grubx64.efi'

claim "before its first boot a machine has no variables, and show says so"
expect_status 0 hrvm show demo --nvram --json
assert_json "$T/out" '.nvram == null and .machines[0].firmware == "uefi"'

claim "it boots at the first try, on virtio and on NVMe"
boots 1
expect_status 0 hrvm show demo --nvram --json
assert_equal "$(first_entry)" "$OURS" "the first boot entry"
boots 2 --bus nvme

claim "the firmware has read the variables, added entries of its own, and kept ours first"
expect_status 0 hrvm show demo --nvram --json
assert_equal "$(first_entry)" "$OURS" "the first boot entry"
assert_json "$T/out" '[.nvram.boot[].description] | length > 2 and any(. == "UiApp")'

claim "a throw-away boot of a snapshot that has none gets an entry as well"
expect_status 0 hrvm reset demo --discard --yes
expect_status 0 hrvm show demo --nvram --json
assert_json "$T/out" '.nvram == null'
expect_status 0 hrvm snapshot create demo@fresh
expect_status 0 hrvm boot demo@fresh --wait-for "$READY.*" --timeout 120
assert_contains "$OUT" "$READY boots=1 fw=uefi" "the console"

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
