#!/bin/bash
# A system whose root is a volume on two disks: imported together they make one machine, which boots, is frozen, taken back
# and merged as one. A part of it is refused.
. "$(dirname "$0")/lib.sh"
need_root
command -v lvm > /dev/null || skip "there is no lvm"

FIRST=$T/first.img SECOND=$T/second.img
"$SUPPORT/make-demo-disk.sh" --lvm "$SECOND" "$FIRST"
bases() { base_identity "$FIRST"; base_identity "$SECOND"; }
before=$(bases)
at_end 'hrvm stop demo --force > /dev/null 2>&1'

claim "a part of the set is refused, the missing member is named, and no machine is made"
expect_status 4 hrvm import "$FIRST"
assert_contains "$ERR" "$FIRST holds a part of volume group demo; missing: pv0, last seen as /dev/loop" "the refusal"
expect_status 4 hrvm import "$SECOND" --json
assert_json "$T/err" '.kind == "refused" and (.message | contains("pv1")) and (.hint | contains("--disk"))'
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines == []'
expect_status 0 hrvm import "$SECOND" part --allow-partial
assert_contains "$ERR" "1 of the 2 physical volumes of volume group demo are not on this disk" "the warning"
expect_status 0 hrvm remove part --yes

claim "discover says how to import them"
expect_status 0 hrvm discover "$SECOND" --json
assert_json "$T/out" '.disks[0] | (.importable | not) and (.obstacle | contains("missing: pv1"))'
expect_status 0 hrvm discover "$SECOND" "$FIRST" --json
assert_json "$T/out" "[.disks[] | .importable and .import_command == \"hrvm import $FIRST --disk $SECOND\"] == [true, true]"

claim "attached disks are found by what they bear"
loops=("$(losetup --find --show --read-only "$SECOND")")
at_end "losetup -d ${loops[0]}"
loops+=("$(losetup --find --show --read-only "$FIRST")")
at_end "losetup -d ${loops[1]}"
expect_status 0 hrvm import "${loops[0]}" attached
assert_contains "$OUT" "Imported ${loops[1]} and ${loops[0]} as attached" "what was imported"
expect_status 0 hrvm remove attached --yes

claim "both and an empty disk make one machine, whose first disk is the one that boots"
expect_status 0 hrvm import "$SECOND" --disk "$FIRST" --new-disk 64M demo --cpus 1 --memory 512M --json
assert_json "$T/out" "[.machines[0].disks[] | .base] == [\"$FIRST\", \"$SECOND\", null]"
assert_json "$T/out" '.machines[0] | .disks[2].virtual_bytes == 67108864 and .base.drift == "none" and .system != null'
assert_equal "$(find "$HRVM_STORE/demo/layers" -name '*.qcow2' | wc -l)" 3 "the number of layers"

layers_of() { hrvm show "$1" --json | jq -r '.machines[0].disks[].path'; }
content() { # MACHINE[@SNAP]: the hash of what each disk shows
  local id
  id=$(jq -r --arg snapshot "${1#demo}" '
    if $snapshot == "" then .active.layer else .snapshots[] | select("@" + .name == $snapshot).layer end' \
    "$HRVM_STORE/demo/current")
  for layer in "$HRVM_STORE/demo/layers/$id"{,-1,-2}.qcow2; do shown "$layer"; done
}

claim "it boots, and writes to all of them"
guest_start demo "$HRVM" boot demo --console serial
guest_wait demo "$READY boots=1 fw=bios"
guest_login demo
guest_run demo '[ $(blockdev --getsize64 /dev/vdc) = 67108864 ] && echo kept > /dev/vdc'
guest_run demo 'head -c 40000000 /dev/urandom > /big && sync'
guest_poweroff demo
assert_equal "$(bases)" "$before" "the disks"
for layer in $(layers_of demo); do
  [ "$(stat -c '%b' "$layer")" -gt 100 ] || [ "$layer" = "$(layers_of demo | tail -n 1)" ] || fail "$layer took nothing"
  qemu-img check -q "$layer" || fail "$layer is damaged"
done

claim "a snapshot freezes all of them, a throw-away boot leaves them, and a revert brings them back"
expect_status 0 hrvm snapshot create demo@used
used=$(content demo@used)
expect_status 0 hrvm boot demo@used --firmware uefi --bus scsi --wait-for "$READY boots=2 fw=uefi" --timeout 120
assert_equal "$(content demo)" "$used" "what the throw-away boot left"
expect_status 0 hrvm boot demo --bus nvme --wait-for "$READY boots=2 fw=bios" --timeout 120
[ "$(content demo)" != "$used" ] || fail "the boot changed nothing"
changed=$(content demo)
assert_equal "$(content demo@used)" "$used" "the snapshot"
expect_status 0 hrvm snapshot revert demo@used
assert_equal "$(content demo)" "$used" "what the revert brought back"
expect_status 0 hrvm undo demo
assert_equal "$(content demo)" "$changed" "what undo brought back"

claim "a snapshot that goes is merged on each disk"
expect_status 0 hrvm snapshot delete demo@used --discard --yes
assert_equal "$(content demo)" "$changed" "what the machine shows after the merge"
expect_status 0 hrvm reset demo --discard --yes
assert_equal "$(find "$HRVM_STORE/demo/layers" -name '*.qcow2' | wc -l)" 3 "the number of layers after a reset"
assert_equal "$(content demo)" "$({ sha256sum < "$FIRST"; sha256sum < "$SECOND"; head -c 64M /dev/zero | sha256sum; } | cut -d' ' -f1)" "the disks anew"

claim "of several disks an export wants one, and gives what that one shows"
for number in 1 2 3; do
  expect_status 0 hrvm export demo "$T/export" --disk $number --format raw --force
  sha256sum < "$T/export" | cut -d' ' -f1
done > "$T/exports"
assert_equal "$(cat "$T/exports")" "$(content demo)" "the exports"
expect_status 2 hrvm export demo "$T/export2"
assert_contains "$ERR" "demo has 3 disks" "the message"
expect_status 2 hrvm export demo "$T/export2" --disk 4

claim "what moves on the second disk is drift of the machine"
expect_status 0 hrvm verify demo
printf 'x' | dd of="$SECOND" bs=1 seek=600 conv=notrunc status=none
expect_status 3 hrvm verify demo --json
assert_json "$T/out" '[.evidence[] | select(.same | not) | .what] | any(startswith("disk 2, "))'
expect_status 4 hrvm boot demo --print
assert_contains "$ERR" "a disk of demo has changed under its layers: disk 2, disk" "the refusal"

claim "a disk that is gone is named"
mv "$SECOND" "$SECOND.away"
expect_status 1 hrvm boot demo --print
assert_contains "$ERR" "$SECOND is not there" "the message"
expect_status 3 hrvm verify demo --json
assert_json "$T/out" '.verdict == "missing"'
mv "$SECOND.away" "$SECOND"
