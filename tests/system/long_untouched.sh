#!/bin/bash
# The promise: no process that hrvm starts, and hrvm itself in none of its commands, opens the base for writing.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
opened=0

# Every way in which a path or a descriptor can be changed, in all processes.
CALLS=open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,chmod,fchmod,fchmodat
CALLS+=,chown,fchown,lchown,fchownat,utimensat,utime,utimes,setxattr,fsetxattr,mount,execve

# A file for each process, so that no call is told in two parts.
traced() { strace -ff -qq -y -e "trace=$CALLS" -o "$T/strace.$1" "${@:2}"; }

# Of the lines about the base only opens for reading are allowed.
judge() { # NAME
  local lines bad
  lines=$(cat "$T/strace.$1".* | grep -F "$BASE" | grep -v 'execve(' || true)
  bad=$(grep -vE '(openat2?|open)\(.*O_RDONLY' <<< "$lines" | grep -v '^$' || true)
  bad+=$(grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC' <<< "$lines" || true)
  assert_equal "$bad" "" "what $1 did to the base"
  opened=$((opened + $(grep -c . <<< "$lines" || true)))
}

trace_command() { # NAME WORDS...
  local name=$1
  shift
  expect_status 0 traced "$name" "$HRVM" "$@"
  judge "$name"
}

claim "no command of hrvm opens it for writing"
trace_command discover discover "$BASE"
trace_command import import "$BASE" demo --memory 512M --cpus 1 --hash
trace_command list list
trace_command show show demo
trace_command print boot demo --print
trace_command xml boot demo --xml
trace_command snapshot snapshot create demo@one
trace_command revert snapshot revert demo@one
trace_command delete snapshot delete demo@one --yes
trace_command reset reset demo
trace_command undo undo demo
trace_command verify verify demo --full
trace_command export export demo "$T/out.raw" --format raw
trace_command doctor doctor demo
[ "$opened" -gt 5 ] || fail "strace saw the base opened $opened times only: is it looking at the right path?"

for firmware in bios uefi; do
  claim "QEMU does not either: $firmware"
  guest_start demo strace -ff -qq -y -e "trace=$CALLS" -o "$T/strace.boot-$firmware" \
    "$HRVM" boot demo --console serial --firmware "$firmware"
  guest_login demo
  guest_run demo 'dd if=/dev/zero of=/root/zeroes bs=1M count=8; rm /root/zeroes; fstrim / || true'
  guest_poweroff demo
  opened=0
  judge "boot-$firmware"
  grep -q 'execve(.*qemu-system-x86_64' "$T/strace.boot-$firmware".* || fail "strace did not see QEMU start"
  [ "$opened" -gt 0 ] || fail "QEMU was not seen to open the base"
done

claim "also when it is supervised"
guest_start watched strace -ff -qq -y -e "trace=$CALLS" -o "$T/strace.watched" \
  "$HRVM" boot demo --wait-for "$READY" --timeout 120
guest_ended watched 150
judge watched

claim "content, owner, mode and times are as before"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
