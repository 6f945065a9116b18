#!/bin/bash
# Snapshots are deleted while the guest of a machine of two disks counts up on both: what the others show stays as it was,
# and so does what the guest wrote, whatever becomes of hrvm and of QEMU meanwhile.
#
# KILLS of hrvm while it deletes one, as many (ORDERS) around its orders to QEMU and its renames, and in any case around
# its commit; KILLS=all before every system call that matters. SEED draws others.
. "$(dirname "$0")/lib.sh"
. "$SUPPORT/counting.sh"
KILLS=${KILLS:-2} ORDERS=${ORDERS:-2}
RANDOM=${SEED:-$$}

import_counting

keep() { # NAME...
  local name
  for name in "$@"; do
    expect_status 0 hrvm snapshot create "demo@$name"
    sleep 0.7 # it counts on
  done
}

# shows SNAPSHOT [DISK]: a digest of both of its disks, or of one.
shows() {
  local disk
  for disk in ${2:-1 2}; do
    expect_status 0 hrvm export "demo@$1" "$T/disk-$disk.raw" --format raw --disk "$disk" --force
  done
  cat "$T"/disk-*.raw | sha256sum | cut -d' ' -f1
  rm -f "$T"/disk-*.raw
}

declare -A SHOWN # by name, what they showed when they were made
remember() { local name; for name in "$@"; do SHOWN[$name]=$(shows "$name"); done; }
check_shown() { # those that are left
  local name
  for name in $(named); do assert_equal "$(shows "$name")" "${SHOWN[$name]}" "demo@$name"; done
}
named() { current -r '.snapshots[] | select(.nameless | not) | .name'; }

# Every layer is one that the definition names, and QEMU has no other open.
check_files() {
  local fd file
  assert_equal "$(layers demo | wc -l)" "$((2 * ($(current '.snapshots | length') + 1)))" "the layers, ${1:-}"
  for fd in /proc/"$(qemu_pid)"/fd/*; do
    file=$(readlink "$fd" || true)
    [[ $file != "$HRVM_STORE"/*" (deleted)" ]] || fail "QEMU has $file open, ${1:-}"
  done
}

start_counting
keep s1 s2 s3 s4 s5 s6
remember s1 s2 s3 s4 s5 s6

claim "one that lies between others goes while the machine runs, and QEMU lets go of its layer"
expect_status 0 hrvm snapshot delete demo@s3 --discard --yes --json
assert_json "$T/out" '.head == "s6" and (.changes.merges.from | startswith("layers/")) and .changes.nameless == null'
assert_lacks "$ERR" 'until demo ends'
assert_equal "$(state)" running "the machine"
check_files
check_shown
await_count

claim "so does the one that lies on the disks themselves"
expect_status 0 hrvm snapshot delete demo@s1 --discard --yes
check_files
check_shown
await_count

claim "several at once, what lies higher first"
expect_status 0 hrvm snapshot delete demo@s4 demo@s5 --discard --yes
check_files
check_shown
expect_status 0 hrvm verify demo@s6

claim "nothing is merged into what the guest writes to: the layer stays without a name until that is frozen"
expect_status 0 hrvm snapshot delete demo@s6 --discard --yes --json
assert_json "$T/out" '.head == "s2" and .changes.merges == null and (.changes.nameless | startswith("layers/"))'
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '.nameless_bytes > 0 and [.snapshots[].name] == ["s2"]'
keep s7 s8
remember s7 s8
expect_status 0 hrvm snapshot delete demo@s7 --discard --yes
assert_equal "$(current -r '.snapshots[].name' | tr '\n' ' ')" "s2 s8 " "the snapshots"
check_files
check_shown
await_count

claim "a clone of one shares its layers, and a merge while the original runs leaves the clone as it was"
keep c1 c2
remember c1 c2
expect_status 1 hrvm clone demo twin
expect_status 0 hrvm clone demo@c2 twin --json
assert_json "$T/out" '.copied_bytes == 0 and .shared_bytes > 0'
expect_status 0 hrvm snapshot delete demo@c1 --discard --yes
check_files
check_shown
expect_status 0 hrvm snapshot delete twin@s2 --discard --yes # whose layer QEMU reads for demo
expect_status 0 hrvm export twin@c2 "$T/disk-1.raw" --format raw --disk 1
expect_status 0 hrvm export twin@c2 "$T/disk-2.raw" --format raw --disk 2
assert_equal "$(cat "$T"/disk-*.raw | sha256sum | cut -d' ' -f1)" "${SHOWN[c2]}" "the clone"
rm -f "$T"/disk-*.raw
expect_status 0 hrvm verify twin --layers
check_shown
expect_status 0 hrvm remove twin --yes
await_count

claim "the name alone goes of what undo is to bring back, and it is merged once undo lets go of it, while the machine runs"
keep u1 u2
remember u1 u2
expect_status 0 hrvm snapshot delete demo@u1 demo@u2 --yes
check_files
check_shown
expect_status 0 hrvm undo demo
expect_status 0 hrvm undo demo
check_shown
expect_status 0 hrvm snapshot delete demo@u1 --yes
expect_status 0 hrvm undo demo --discard --yes
check_files "after undo let go of one"
check_shown
assert_equal "$(current '[.snapshots[] | select(.nameless)] | length')" 0 "the layers without a name"
await_count

claim "^C leaves all as it was"
keep i1 i2
remember i1 i2
status=0
strace -o /dev/null -e trace=pwrite64 -e inject=pwrite64:signal=SIGINT:when=3 "$HRVM" snapshot delete demo@i1 --discard --yes \
  > /dev/null 2>&1 < /dev/null || status=$?
assert_equal "$status" 130 "the exit status"
check_files "after ^C"
check_shown
[ ! -e "$HRVM_STORE/demo/merging" ] || fail "a merge is noted"
expect_status 0 hrvm snapshot delete demo@i1 --discard --yes
check_files

claim "hrvm is killed while it deletes one: the machine runs on, all show what they showed, and it can be done again"
keep traced after
moments snapshot delete demo@traced --discard --yes > "$T/moments"
remember after
kills=0 left=0
for moment in $(drawn "$T/moments"); do
  kills=$((kills + 1))
  keep "a$kills" "b$kills"
  remember "b$kills"
  below=$(shows "a$kills" 2) above=$(shows "b$kills" 2)
  killed "$moment" snapshot delete "demo@a$kills" --discard --yes
  assert_equal "$(state)" running "the machine after a kill at $moment"
  assert_equal "$(shows "b$kills" 2)" "$above" "what lay on it after a kill at $moment"
  if named | grep -qx "a$kills"; then
    left=$((left + 1))
    assert_equal "$(shows "a$kills" 2)" "$below" "it itself after a kill at $moment"
    expect_status 0 hrvm snapshot delete "demo@a$kills" --discard --yes
  else
    expect_status 0 hrvm snapshot describe "demo@b$kills" -m 'another change'
  fi
  assert_equal "$(shows "b$kills")" "${SHOWN[b$kills]}" "what lay on it after a kill at $moment, and the next change"
  assert_equal "$(layers demo | wc -l)" "$((2 * ($(current '.snapshots | length') + 1)))" "the layers after a kill at $moment"
  expect_status 0 hrvm snapshot delete "demo@b$kills" --discard --yes # nothing can lie on it but the guest
done
[ "$left" -gt 0 ] && [ "$left" -lt "$kills" ] || fail "of $kills kills $left left the snapshot"
printf '  %d kills, after %d of them it was there still\n' "$kills" "$left"
check_shown
await_count

claim "QEMU is killed as well, before and after it reads the merged layer"
add=sendto:$(grep '^sendto' "$T/trace" | grep -n 'blockdev-add' | head -n 1 | cut -d: -f1)
reopen=sendto:$(grep '^sendto' "$T/trace" | grep -n 'blockdev-del' | head -n 1 | cut -d: -f1)
number=0
for moment in "$add" "$reopen"; do
  number=$((number + 1))
  keep "q$number" "r$number"
  remember "q$number" "r$number"
  killed "$moment" snapshot delete "demo@q$number" --discard --yes
  sleep 1 # it counts on
  guest_type line 'echo "count $(cat /second/count)."'
  guest_wait line 'count [0-9]+\.'
  counted=${MATCH//[!0-9]/}
  kill -9 "$(qemu_pid)"
  await 20 "the machine still runs" eval '[ "$(state)" = stopped ]'
  check_shown
  guest_ended line
  start_counting
  await_count
  [ "${MATCH//[!0-9]/}" -gt "$counted" ] || fail "the guest had counted to $counted, and is at $MATCH"
  expect_status 0 hrvm snapshot delete "demo@q$number" --discard --yes
  check_shown
  check_files
done

claim "what is automatic is made and pruned while it runs, and the timer's command is content"
expect_status 0 hrvm set demo auto-snapshot=on
for ((i = 1; i <= 3; i++)); do
  sleep 1.1
  expect_status 0 hrvm snapshot auto --keep-last 1 --json
  assert_json "$T/out" '.machines[0] | .error == null and (.snapshot | startswith("auto-"))'
done
assert_equal "$(current '[.snapshots[] | select(.auto)] | length')" 1 "the automatic snapshots"
assert_equal "$(state)" running "the machine"
check_files
check_shown_but_automatic() { local name; for name in $(named | grep -v ^auto-); do assert_equal "$(shows "$name")" "${SHOWN[$name]}" "demo@$name"; done; }
check_shown_but_automatic
expect_status 0 hrvm snapshot create demo --auto --json
assert_json "$T/out" '.live and .snapshot.auto and .snapshot.consistency == "crash"'
expect_status 0 hrvm snapshot prune demo --keep-last 1 --discard --yes --json
assert_json "$T/out" '.machines[0].removed == 1'
check_files
await_count

claim "once it has stopped, what had no name is merged, and nothing is lost"
expect_status 0 hrvm snapshot create demo@last
expect_status 0 hrvm snapshot delete demo@last --discard --yes
expect_status 0 hrvm stop demo --force
guest_ended line
last=$(shows "$(named | tail -n 1)")
expect_status 0 hrvm snapshot delete "demo@s2" --discard --yes
assert_equal "$(current '[.snapshots[] | select(.nameless)] | length')" 0 "the layers without a name"
assert_equal "$(shows "$(named | tail -n 1)")" "$last" "the last snapshot"
check_snapshots
for layer in "$HRVM_STORE"/demo/layers/*.qcow2; do
  qemu-img check -q "$layer" || [ $? = 3 ] || fail "qemu-img check finds errors in $layer"
done
expect_status 0 hrvm verify demo --layers
assert_equal "$(bases)" "$before" "the bases"
