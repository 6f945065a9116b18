#!/bin/bash
# The store is a small tmpfs and the guest writes more than it holds: the machine is paused, says why and how to go on, and
# loses nothing.
. "$(dirname "$0")/lib.sh"
need_root

BASE=$T/demo.img
demo_disk "$BASE" --size 512M
base=$(base_identity "$BASE")
mkdir "$T/small"
mount -t tmpfs -o size=64M none "$T/small"
at_end "umount '$T/small'"
at_end 'hrvm stop demo --force > /dev/null 2>&1'
export HRVM_STORE=$T/small/store
import_demo --allow-volatile
state() { hrvm list --json | jq -r '.machines[0].state'; }
# What hrvm runs on this store, by now only the guard.
guards() {
  local process
  for process in $(grep -lzxsF "HRVM_STORE=$HRVM_STORE" /proc/[0-9]*/environ); do
    [ "$(readlink "${process%/environ}/exe")" != "$(readlink -f "$HRVM")" ] || echo "${process//[!0-9]/}"
  done
}
left() { df -B1 --output=avail "$T/small" | tail -n 1; }

wait_for_state() { # STATE SECONDS
  local limit=$((SECONDS + $2))
  until [ "$(state)" = "$1" ]; do
    [ "$SECONDS" -lt "$limit" ] || fail "the machine is $(state), not $1; $(left) bytes are left"
    sleep 0.2
  done
}

claim "the guest writes 200 MiB into a store of 64 MiB, to layers that it was not started with, and is paused"
expect_status 0 hrvm boot demo --detach --wait-for 'login:' --timeout 120
guard=$(guards)
[[ $guard =~ ^[0-9]+$ ]] || fail "there should be one guard, there are: $guard"
guest_start line "$HRVM" console demo
exec 7<> "$T/guest-line/keys" # a pipe that nobody has open yet would forget the key
guest_type line ''
guest_login line
expect_status 0 hrvm snapshot create demo@before # QEMU goes on in another layer, which the guard has to watch
guest_run line 'yes "what the guest wrote" | head -c 1048576 > /root/part'
guest_type line 'for i in $(seq 200); do cat /root/part; done > /root/big && sync; echo "[status $?]"'
wait_for_state paused 120
printf "  %d bytes are left\n" "$(left)"
[ "$(left)" -ge $((7 << 20)) ] || fail "only $(left) bytes are left for the host, of 8 MiB that are kept"
assert_lacks "$(guest_text line)" '[status 0]' "the guest, before there was room"

claim "show tells why"
expect_status 0 hrvm show demo --json
assert_json "$T/out" '.machines[0].guard.paused_for_room and .machines[0].guard.room_bytes < 4194304'

assert_json "$T/out" '.machines[0].paused.why == "no-room"'
expect_status 0 hrvm show demo
assert_contains "$OUT" 'demo  paused (the store is full: make room, then hrvm resume demo)'

claim "going on without room is refused, with what to do"
expect_status 4 hrvm resume demo
assert_one_message
assert_contains "$ERR" 'too little room'
assert_equal "$(state)" paused "the machine"

claim "where it is forced QEMU itself stops it when nothing is left, and still nothing is lost"
"$HRVM" resume demo --force > /dev/null 2>&1 || true # it may have stopped again before the command ends
wait_for_state paused 60

claim "with room it goes on, and all that it wrote is there"
mount -o remount,size=400M "$T/small"
await 10 "show does not say that there is room" eval \
  "hrvm show demo | grep -qF 'demo  paused (the store was full; there is room now: hrvm resume demo)'"
expect_status 0 hrvm resume demo
guest_wait line '\[status [0-9]+\]' 120
assert_equal "$MATCH" '[status 0]' "the guest's write"
yes "what the guest wrote" | head -c 1048576 > "$T/part" || true
expected=$(for part in {1..200}; do cat "$T/part"; done | md5sum | cut -d' ' -f1)
guest_type line 'echo 3 > /proc/sys/vm/drop_caches; md5sum < /root/big'
guest_wait line '[0-9a-f]{32}' 60
assert_equal "$MATCH" "$expected" "what the guest reads back"

claim "the layer is sound and the base unchanged"
expect_status 0 hrvm stop demo
guest_ended line 20
qemu-img check -q "$(active_layer demo)" || fail "qemu-img check finds errors in the layer"
assert_equal "$(base_identity "$BASE")" "$base" "the base"

claim "the guard ends with its machine"
for turn in {1..30}; do
  [ -e "/proc/$guard" ] || break
  sleep 0.1
done
[ ! -e "/proc/$guard" ] || fail "the guard still runs"
