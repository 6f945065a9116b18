#!/bin/bash
# A guest with qemu-guest-agent: its filesystems are at rest in a snapshot that is made while it writes, and go on whatever
# becomes of hrvm.
. "$(dirname "$0")/lib.sh"
export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
AGENT=$(command -v qemu-ga) || fail "there is no qemu-ga: run tests/deps.sh"

# The agent with all that it needs, on a second disk.
TREE=$T/tree
mkdir -p "$TREE/lib"
cp "$AGENT" "$TREE/qemu-ga"
for library in $(ldd "$AGENT" | grep -o '/[^ ]*'); do cp -L "$library" "$TREE/lib/"; done
find "${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}/kernel" -name virtio_console.ko -exec cp {} "$TREE/" \;
[ -e "$TREE/virtio_console.ko" ] || fail "there is no virtio_console in the kernel: run tests/deps.sh"
demo_disk "$T/demo.img"
truncate -s 96M "$T/second.img"
mkfs.ext4 -q -F -d "$TREE" "$T/second.img"
expect_status 0 hrvm import "$T/demo.img" demo --disk "$T/second.img" --memory 512M --cpus 1
at_end 'hrvm stop demo --force > /dev/null 2>&1'
expect_status 0 hrvm boot demo --detach --wait-for 'login:' --timeout 180
guest_start line "$HRVM" console demo
exec 7<> "$T/guest-line/keys" # a pipe that nobody has open yet would forget the key
guest_type line ''
guest_login line
guest_run line 'mkdir -p /second && mount -t ext4 /dev/vdb /second && insmod /second/virtio_console.ko && ls /dev/vport*'

consistency() { jq -r --arg name "$1" 'first(.snapshots[] | select(.name == $name)) | .consistency // "stopped"' "$HRVM_STORE/demo/current"; }

claim "a port without an agent behind it is none, and that is known at once"
started=$SECONDS
expect_status 0 hrvm snapshot create demo@crash --json
[ $((SECONDS - started)) -le 5 ] || fail "it took $((SECONDS - started)) seconds"
assert_json "$T/out" '.snapshot.consistency == "crash" and [.findings[].id] == ["no-guest-agent"]'

guest_run line 'LD="/second/lib/ld-linux-x86-64.so.2 --library-path /second/lib"; $LD /second/qemu-ga -d -m virtio-serial -p $(ls /dev/vport*) -f /run/qga.pid -t /run'
guest_run line 'while :; do date >> /root/written; date >> /second/written; done & true'
sleep 2

claim "with an agent both filesystems are at rest, and the guest goes on"
stood=()
for i in 1 2 3; do
  expect_status 0 hrvm snapshot create "demo@frozen$i" --freeze require --json
  assert_json "$T/out" '.live and .findings == [] and .snapshot.consistency == "frozen"'
  stood+=("$(jq .frozen_ms "$T/out")")
done
printf '  its filesystems stood still for %s ms\n' "${stood[*]}"
guest_run line 'echo on > /root/on && echo on > /second/on && sync'

claim "what is not wanted is not asked for"
expect_status 0 hrvm snapshot create demo@unasked --freeze never --json
assert_json "$T/out" '.findings == [] and .snapshot.consistency == "crash"'

claim "hrvm is killed while the guest stands still: it goes on soon, and the next command settles the rest"
strace -s 64 -o "$T/trace" -e trace=sendto "$HRVM" snapshot create demo@traced --freeze require > /dev/null 2>&1 < /dev/null \
  || fail "under strace it fails"
switch=$(grep '^sendto' "$T/trace" | grep -n '"transaction' | cut -d: -f1)
(
  exec 2> /dev/null
  strace -o /dev/null -e trace=sendto -e "inject=sendto:signal=SIGKILL:when=$switch" \
    "$HRVM" snapshot create demo@killed --freeze require > /dev/null < /dev/null
) || true
guest_type line 'echo still > /root/on; sync; echo on "again."'
guest_wait line 'on again\.' 30 # by itself it would stand still for good
expect_status 0 hrvm snapshot rename demo@crash crashed
assert_equal "$(jq -r '.pending, (.snapshots[] | select(.name == "killed").name)' "$HRVM_STORE/demo/current")" null "what is pending"

claim "an agent that does not answer is not waited for"
guest_run line 'kill -STOP $(cat /run/qga.pid)'
started=$SECONDS
expect_status 1 hrvm snapshot create demo@required --freeze require
assert_one_message
expect_status 0 hrvm snapshot create demo@deaf --json
assert_json "$T/out" '.snapshot.consistency == "crash" and [.findings[].id] == ["no-guest-agent"]'
[ $((SECONDS - started)) -le 20 ] || fail "it took $((SECONDS - started)) seconds"
guest_run line 'kill -CONT $(cat /run/qga.pid)'
expect_status 0 hrvm snapshot create demo@again --freeze require --json
assert_json "$T/out" '.snapshot.consistency == "frozen"'

expect_status 0 hrvm stop demo --force
guest_ended line

claim "an ext4 that was at rest needs no replay of its journal, others do"
needs_recovery() { # SNAPSHOT DISK
  local image=$T/disk.raw
  expect_status 0 hrvm export "demo@$1" "$image" --format raw --disk "$2" --force
  if [ "$2" = 1 ]; then
    dd if="$image" of="$T/root.raw" bs=1M skip=18 conv=sparse status=none # its third partition
    image=$T/root.raw
  fi
  dumpe2fs -h "$image" 2> /dev/null | grep -q needs_recovery
}
for name in frozen1 frozen3 again; do
  for disk in 1 2; do
    ! needs_recovery "$name" "$disk" || fail "disk $disk of demo@$name needs recovery"
    image=$T/disk.raw
    [ "$disk" = 2 ] || image=$T/root.raw
    e2fsck -fn "$image" > "$T/fsck" 2>&1 || fail "e2fsck finds errors in disk $disk of demo@$name: $(cat "$T/fsck")"
  done
  assert_equal "$(consistency "$name")" frozen "demo@$name"
done
needs_recovery unasked 1 || fail "demo@unasked needs no recovery, as if it had been at rest"
assert_equal "$(consistency deaf)" crash demo@deaf
