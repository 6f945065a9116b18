#!/bin/bash
# What a machine shows after each change, told by qemu-img, without booting it; and qemu-img's opinion of the layers.
. "$(dirname "$0")/lib.sh"

BASE=$T/disk.img
truncate -s 8M "$BASE"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$BASE"
base=$(base_identity "$BASE")

write() { qemu-io -c "write -P $1 $2 64k" "$(active_layer demo)" > /dev/null; }
clean() {
  local layer
  for layer in $(layers demo); do qemu-img check -q "$layer" || fail "qemu-img check finds errors in $layer"; done
}

claim "import makes an empty overlay that qemu-img reads: version 3, 128 KiB clusters, subclusters, the base's path"
expect_status 0 hrvm import "$BASE" demo
info=$T/info.json
qemu-img info --output=json "$(active_layer demo)" > "$info"
assert_json "$info" '.format == "qcow2" and ."virtual-size" == 8388608 and ."cluster-size" == 131072'
assert_json "$info" '."format-specific".data | .compat == "1.1" and ."extended-l2" == true'
assert_equal "$(jq -r '."backing-filename", ."backing-filename-format"' "$info")" "$BASE
raw" "the backing file"
clean
assert_equal "$(find "$HRVM_STORE" -type f ! -perm 600)" "" "files that others may read"
pristine=$(shown "$(active_layer demo)")
assert_equal "$pristine" "$(sha256sum < "$BASE" | cut -d' ' -f1)" "what an empty overlay shows"

claim "--classic makes what qemu-img makes by default"
expect_status 0 hrvm import "$BASE" classic --classic
qemu-img info --output=json "$(active_layer classic)" > "$info"
assert_json "$info" '."cluster-size" == 65536 and ."format-specific".data."extended-l2" == false'

claim "reset shows the base again, undo the changes, a second undo the base"
write 1 1M
changed=$(shown "$(active_layer demo)")
[ "$changed" != "$pristine" ] || fail "qemu-io changed nothing"
expect_status 0 hrvm reset demo
assert_equal "$(shown "$(active_layer demo)")" "$pristine" "after reset"
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$changed" "after undo"
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$pristine" "after a second undo"
expect_status 0 hrvm undo demo

claim "a write after a reset does not get in the way of undo"
expect_status 0 hrvm reset demo
write 3 2M
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$changed" "after undo"

claim "an empty layer that is reset hides nothing: undo brings back what was written before"
expect_status 0 hrvm reset demo
expect_status 0 hrvm reset demo
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$changed" "after undo of two resets"

claim "each undo goes further back, and the log tells where to"
write 5 1M
fifth=$(shown "$(active_layer demo)")
expect_status 0 hrvm reset demo
write 6 1M
sixth=$(shown "$(active_layer demo)")
expect_status 0 hrvm reset demo
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$sixth" "after undo"
step=$("$HRVM" log demo --json | jq .steps[-2].number)
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$fifth" "after a second undo"
expect_status 0 hrvm undo demo --step $((step + 2))
assert_equal "$(shown "$(active_layer demo)")" "$sixth" "what the second undo put away"

claim "--discard keeps nothing for undo"
expect_status 2 hrvm reset demo --discard
expect_status 0 hrvm reset demo --discard --yes
expect_status 1 hrvm undo demo
assert_one_message
assert_equal "$(layers demo | wc -l)" 1 "layers"

claim "a snapshot keeps what was, revert brings it back, undo takes the revert back"
write 1 1M
first=$(shown "$(active_layer demo)")
expect_status 0 hrvm snapshot create demo@first -m 'one block'
assert_equal "$(shown "$(active_layer demo)")" "$first" "after the snapshot"
write 2 1M
write 2 3M
second=$(shown "$(active_layer demo)")
expect_status 0 hrvm snapshot revert demo@first
assert_equal "$(shown "$(active_layer demo)")" "$first" "after revert"
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$second" "after undo of the revert"
expect_status 0 hrvm snapshot create demo@second
write 4 4M
third=$(shown "$(active_layer demo)")
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '[.snapshots[] | [.name, .parent]] == [["first", null], ["second", "first"]]'
clean

claim "a dry run changes nothing"
expect_status 0 hrvm reset demo
before=$(find "$HRVM_STORE" -printf '%p %T@ %s %l\n' | sort)
for change in 'reset demo' 'undo demo' 'snapshot create demo@x' 'snapshot revert demo@first' \
  'snapshot delete demo@first --discard --yes' 'remove demo --yes' 'rename demo other' "import $BASE third"; do
  expect_status 0 hrvm $change --dry-run --json
  assert_json "$T/out" '.schema | endswith("-plan/1")'
  assert_equal "$(find "$HRVM_STORE" -printf '%p %T@ %s %l\n' | sort)" "$before" "the store after a dry run of $change"
done
expect_status 0 hrvm undo demo

claim "a delete takes the name alone, and undo brings the snapshot back with all that it was"
tree=$(jq -cS '[.snapshots, .active, .fingerprints, .frozen]' "$HRVM_STORE/demo/current")
files=$(layers demo | xargs stat -c '%n %i %s %y %a')
expect_status 0 hrvm snapshot delete demo@first --yes --json
assert_json "$T/out" '.undo and .can_undo and .changes.merges == null and .changes.discards == []'
expect_status 1 hrvm snapshot revert demo@first
expect_status 0 hrvm snapshot delete demo@second --yes
assert_contains "$OUT" 'nothing is freed yet'
assert_contains "$OUT" 'take it back:  hrvm undo demo'
assert_equal "$(layers demo | xargs stat -c '%n %i %s %y %a')" "$files" "the layers"
assert_equal "$(shown "$(active_layer demo)")" "$third" "what the machine shows"
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '.snapshots == [] and .nameless_bytes == null'
expect_status 0 hrvm log demo --json
assert_json "$T/out" '[.steps[-2:][].held | [.snapshots, .layer, .allocated_bytes > 0]] == [[["first"], null, true], [["second"], null, true]]'
expect_status 0 hrvm undo demo
expect_status 0 hrvm undo demo
check_undone() {
  assert_equal "$(jq -cS '[.snapshots, .active, .fingerprints, .frozen]' "$HRVM_STORE/demo/current")" "$tree" "the tree"
  assert_equal "$(layers demo | xargs stat -c '%n %i %s %y %a')" "$files" "the layers"
}
check_undone
expect_status 0 hrvm snapshot delete demo@first --yes
expect_status 0 hrvm snapshot rename demo@second first
expect_status 1 hrvm undo demo
assert_contains "$ERR" 'there is another of that name by now'
expect_status 0 hrvm snapshot rename demo@first second
expect_status 0 hrvm undo demo
check_undone

claim "deleting a snapshot with one child changes nothing that is shown"
expect_status 0 hrvm snapshot delete demo@first --discard --yes
assert_equal "$(shown "$(active_layer demo)")" "$third" "after the merge"
clean
expect_status 0 hrvm snapshot revert demo@second
assert_equal "$(shown "$(active_layer demo)")" "$second" "the snapshot that was merged into"

claim "what is deleted is merged once undo lets go of it"
write 0x51 6M
expect_status 0 hrvm snapshot create demo@held
fourth=$(shown "$(active_layer demo)") count=$(layers demo | wc -l)
expect_status 0 hrvm snapshot delete demo@held --yes
assert_equal "$(layers demo | wc -l)" "$count" "the layers"
expect_status 2 hrvm undo demo --discard
expect_status 0 hrvm undo demo --discard --yes
[ "$(layers demo | wc -l)" -lt "$count" ] || fail "no layer was merged"
assert_equal "$(shown "$(active_layer demo)")" "$fourth" "what the machine shows"
expect_status 1 hrvm undo demo
clean
expect_status 0 hrvm snapshot revert demo@second --discard --yes

claim "of one with several children the name goes, and its layer stays for them until one is left"
write 0x61 5M
expect_status 0 hrvm snapshot create demo@fork
forked=$(shown "$(active_layer demo)")
expect_status 0 hrvm snapshot create demo@left
expect_status 0 hrvm snapshot revert demo@fork --discard --yes
expect_status 0 hrvm snapshot create demo@right
count=$(layers demo | wc -l)
expect_status 0 hrvm snapshot delete demo@fork --discard --yes --json
assert_json "$T/out" '.head == "right" and (.changes.nameless | startswith("layers/")) and .changes.discards == []'
assert_equal "$(layers demo | wc -l)" "$count" "the layers"
expect_status 1 hrvm snapshot revert demo@fork
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '.nameless_bytes >= 65536 and ([.snapshots[] | select(.name == "left" or .name == "right") | .parent] == ["second", "second"])'
expect_status 0 hrvm snapshot tree demo
assert_contains "$OUT" '(no name)' "the tree"
assert_equal "$(shown "$(active_layer demo)")" "$forked" "on the right"
expect_status 0 hrvm snapshot revert demo@left --discard --yes
assert_equal "$(shown "$(active_layer demo)")" "$forked" "on the left"
expect_status 0 hrvm snapshot delete demo@right --discard --yes --json
assert_json "$T/out" '.changes.merges.into | startswith("layers/")'
assert_equal "$(layers demo | wc -l)" "$((count - 2))" "the layers"
assert_equal "$(shown "$(active_layer demo)")" "$forked" "after the merge"
clean
expect_status 0 hrvm verify demo --layers
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '.nameless_bytes == null'

claim "export flattens, in both formats"
expect_status 0 hrvm snapshot revert demo@second
expect_status 0 hrvm export demo "$T/out.qcow2"
qemu-img check -q "$T/out.qcow2"
qemu-img info --output=json "$T/out.qcow2" > "$info"
assert_json "$info" '.format == "qcow2" and (has("backing-filename") | not)'
qemu-img compare -q "$T/out.qcow2" "$(active_layer demo)" || fail "the exported image shows something else"
expect_status 0 hrvm export demo@left "$T/out.raw" --format raw
assert_equal "$(sha256sum < "$T/out.raw" | cut -d' ' -f1)" "$forked" "the exported raw image"
expect_status 1 hrvm export demo "$T/out.raw" --format raw
assert_one_message

claim "what somebody else does to layers is told by list, doctor, verify, show and boot, and is not frozen by a snapshot"
told_as_damaged() { # WORDS
  local command
  for command in 'list' 'show demo' 'boot demo --print' 'snapshot create demo@damaged'; do
    expect_status 1 hrvm $command
    assert_one_message
    assert_contains "$ERR" "$1" "hrvm $command"
  done
  expect_status 3 hrvm verify demo
  expect_status 1 hrvm list --json
  assert_json "$T/out" '.machines[] | select(.name == "demo") | .state == "damaged"'
  expect_status 3 hrvm doctor demo --json
  assert_json "$T/out" '[.checks[] | select(.id == "layers" and .status == "error")] | length == 1'
}
active=$(active_layer demo)
frozen=$HRVM_STORE/demo/layers/$(jq -r '.snapshots[] | select(.name == "second") | .layer' "$HRVM_STORE/demo/current").qcow2
expect_status 0 hrvm verify demo --layers
for damage in "printf '\\0\\0\\0\\0\\0\\0\\0\\0' | dd of=$active conv=notrunc status=none" "qemu-img resize -q $active +64M" \
  "qemu-img rebase -q -u -b $BASE -F raw $active" "qemu-img rebase -q -u -b '' $active"; do
  cp -a "$active" "$T/kept"
  eval "$damage"
  told_as_damaged "the active layer of demo is damaged"
  cp -a "$T/kept" "$active"
done
cp -a "$frozen" "$T/kept"
chmod 600 "$frozen"
qemu-io -c 'write -P 9 1M 4k' "$frozen" > /dev/null
told_as_damaged "the layer of demo@second is damaged"
cp -a "$T/kept" "$frozen"
expect_status 0 hrvm verify demo --layers --full --record
expect_status 0 hrvm verify demo@second --full
assert_json <(hrvm verify demo@second --full --json) '[.evidence[] | select(.what | endswith(".qcow2: sha256")) | .same] == [true]'
assert_equal "$(stat -c %a "$frozen")" 400 "the mode of a frozen layer"

claim "a store can be moved"
mv "$HRVM_STORE" "$T/elsewhere"
export HRVM_STORE=$T/elsewhere
assert_equal "$(shown "$(active_layer demo)")" "$second" "in the moved store"
expect_status 0 hrvm boot demo --print
find "$HRVM_STORE" -name '*.qcow2' -exec touch {} +
expect_status 1 hrvm boot demo --print
assert_contains "$ERR" "hrvm verify demo --layers --record" "what to do where a copy has lost times"
expect_status 0 hrvm verify demo --layers --record
expect_status 0 hrvm boot demo --print

claim "a copy of a machine's folder is told, and gets an identity of its own"
cp -a "$HRVM_STORE/demo" "$HRVM_STORE/copy"
expect_status 3 hrvm doctor demo
assert_contains "$OUT" "copy is a copy of demo"
hrvm doctor copy --fix > /dev/null || true
expect_status 0 hrvm list --json
assert_json "$T/out" '[.machines[] | select(.name == "demo" or .name == "copy")] |
  (map(.uuid) | unique | length == 2) and (map(.mac) | unique | length == 2)'
hrvm doctor copy --json > "$T/out" || true
assert_json "$T/out" '.checks[] | select(.id == "identity") | .status == "ok"'
expect_status 0 hrvm remove copy --yes

claim "a clone shares the layers of snapshots, and what is done to either leaves the other as it was"
expect_status 0 hrvm reset demo --discard --yes
write 0x71 1M
expect_status 0 hrvm snapshot create demo@below
write 0x72 2M
expect_status 0 hrvm snapshot create demo@kept
kept=$(shown "$(active_layer demo)")
write 0x73 3M
written=$(shown "$(active_layer demo)")
taken=$(du -s --block-size=1 "$HRVM_STORE" | cut -f1)
expect_status 0 hrvm clone demo@kept twin --json
assert_json "$T/out" '.schema == "hrvm.clone/1" and .copied_bytes == 0 and .shared_bytes > 0 and .machines[0].head == "kept"'
grown=$(($(du -s --block-size=1 "$HRVM_STORE" | cut -f1) - taken))
[ "$grown" -lt 200000 ] || fail "the clone takes $grown bytes"
assert_equal "$(shown "$(active_layer twin)")" "$kept" "the clone"
expect_status 0 hrvm snapshot delete demo@below --discard --yes
assert_equal "$(shown "$(active_layer demo)")" "$written" "the original after a merge"
assert_equal "$(shown "$(active_layer twin)")" "$kept" "the clone after a merge in the original"
expect_status 0 hrvm snapshot delete twin@kept twin@below --discard --yes
assert_equal "$(shown "$(active_layer twin)")" "$kept" "the clone after merges of its own"
assert_equal "$(shown "$(active_layer demo)")" "$written" "the original after merges in the clone"
expect_status 0 hrvm snapshot revert demo@kept
assert_equal "$(shown "$(active_layer demo)")" "$kept" "the snapshot of the original"
expect_status 0 hrvm clone demo@kept third
expect_status 0 hrvm remove twin --yes
expect_status 0 hrvm snapshot revert demo@kept --discard --yes
expect_status 0 hrvm verify third --layers
expect_status 0 hrvm verify demo --layers
for layer in $(layers demo) $(layers third); do qemu-img check -q "$layer" || fail "qemu-img check finds errors in $layer"; done
expect_status 0 hrvm remove third --yes

claim "a machine is renamed and removed"
expect_status 0 hrvm rename demo renamed
expect_status 1 hrvm show demo
expect_status 0 hrvm boot renamed --print
expect_status 0 hrvm remove renamed --yes
expect_status 0 hrvm remove classic --yes
assert_equal "$(ls -A "$HRVM_STORE")" "" "the store after all is removed"

assert_equal "$(base_identity "$BASE")" "$base" "the base"
