#!/bin/bash
# The promise: no process that hrvm starts, and hrvm itself in none of its commands, opens the base for writing. The
# commands are those that hrvm names: one that is not tried here fails the test.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
opened=0 tried=()

# Every way in which a path or a descriptor can be changed, in all processes.
CALLS=open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,chmod,fchmod,fchmodat
CALLS+=,chown,fchown,lchown,fchownat,utimensat,utime,utimes,setxattr,fsetxattr,mount,execve

# A file for each process, so that no call is told in two parts.
traced() { strace -ff --seccomp-bpf -qq -y -e "trace=$CALLS" -o "$T/strace.$1" "${@:2}"; }

# Of the lines about the base only opens for reading are allowed.
judge() { # NAME
  local lines bad
  lines=$(cat "$T/strace.$1".* | grep -F "$BASE" | grep -v 'execve(' || true)
  bad=$(grep -vE '(openat2?|open)\(.*O_RDONLY' <<< "$lines" | grep -v '^$' || true)
  bad+=$(grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC' <<< "$lines" || true)
  assert_equal "$bad" "" "what $1 did to the base"
  opened=$((opened + $(grep -c . <<< "$lines" || true)))
}

# trace_command COMMAND WORDS...: COMMAND is "snapshot create" where it has two words. It opens the base.
trace_command() {
  trace_blind "$@"
  [ "$opened" -gt 0 ] || fail "strace did not see hrvm $1 open the base: is it looking at the right path?"
}
# One that may do without.
trace_blind() {
  local name=${1// /-} words
  read -ra words <<< "$1"
  tried+=("$1")
  opened=0
  expect_status 0 traced "$name" "$HRVM" "${words[@]}" "${@:2}"
  judge "$name"
}

# Those that hrvm would complete, those of two words as such.
commands() {
  local word
  for word in $("$HRVM" __complete -- '' | cut -f1); do
    case $word in
      -*) ;;
      snapshot | image | bisect) "$HRVM" __complete -- "$word" '' | cut -f1 | grep -v '^-' | sed "s/^/$word /" ;;
      *) echo "$word" ;;
    esac
  done
}

claim "no command of hrvm opens it for writing"
trace_command discover "$BASE"
trace_command import "$BASE" demo --memory 512M --cpus 1 --hash
trace_blind list
trace_blind log demo
trace_blind move demo "$T/other" --dry-run
trace_command show demo
trace_command boot demo --print
trace_command boot demo --xml
trace_blind "snapshot create" demo@one
trace_blind "snapshot list" demo
trace_blind "snapshot tree" demo
trace_command ls -l demo:/etc
trace_command cat demo:/etc/fstab
mkdir "$T/copied"
trace_command cp -r demo:/etc "$T/copied"
expect_status 0 hrvm snapshot create demo@two
trace_blind "bisect start" demo
trace_command "bisect run" demo -- true
trace_blind "bisect status" demo
trace_blind "bisect log" demo
printf 'start demo\n' > "$T/search"
trace_blind "bisect replay" demo "$T/search"
trace_blind "bisect bad" demo two
trace_blind "bisect good" demo one
expect_status 0 hrvm bisect replay demo "$T/search"
trace_blind "bisect skip" demo one
trace_blind "bisect reset" demo
expect_status 0 hrvm snapshot delete demo@two --yes
trace_blind "snapshot rename" demo@one demo@uno
trace_blind "snapshot describe" demo@uno -m "as it was"
trace_blind "snapshot show" demo@uno
trace_blind "snapshot revert" demo@uno
trace_blind "snapshot delete" demo@uno --yes
trace_blind "snapshot flatten" demo
trace_blind "snapshot auto" demo
trace_blind "snapshot prune" demo --yes
trace_blind reset demo
trace_blind undo demo
trace_blind set demo memory=500M
trace_blind clone demo twin
expect_status 0 hrvm remove twin --yes
trace_blind rename demo other
trace_blind rename other demo
trace_command verify demo --full
trace_command export demo "$T/out.raw" --format raw
truncate -s 300M "$T/other-disk.img"
if other=$(losetup --find --show "$T/other-disk.img"); then
  at_end "losetup -d $other"
  trace_command export demo --to "$other" --yes other-disk.img
fi
trace_blind doctor demo
trace_blind help
trace_blind completion bash
trace_command "image info" "$BASE"
trace_command "image map" "$BASE"
trace_command "image convert" "$BASE" "$T/out.qcow2"
trace_command "image compare" "$BASE" "$T/out.qcow2"
trace_command "image create" --backing "$BASE" "$T/on-base.qcow2"
trace_blind "image check" "$T/on-base.qcow2"
for firmware in bios uefi; do
  claim "QEMU does not either: $firmware"
  guest_start demo strace -ff --seccomp-bpf -qq -y -e "trace=$CALLS" -o "$T/strace.boot-$firmware" \
    "$HRVM" boot demo --console serial --firmware "$firmware"
  guest_login demo
  guest_run demo 'dd if=/dev/zero of=/root/zeroes bs=1M count=8; rm /root/zeroes; fstrim / || true'
  guest_poweroff demo
  opened=0
  judge "boot-$firmware"
  grep -q 'execve(.*qemu-system-x86_64' "$T/strace.boot-$firmware".* || fail "strace did not see QEMU start"
  [ "$opened" -gt 0 ] || fail "QEMU was not seen to open the base"
done

claim "also when it is supervised, runs in the background and takes orders"
guest_start watched strace -ff --seccomp-bpf -qq -y -e "trace=$CALLS" -o "$T/strace.watched" \
  "$HRVM" boot demo --detach --wait-for "$READY" --timeout 120
await 150 "the machine does not come up" grep -qs '^demo runs (process' "$T/guest-watched/screen" # once it was seen
await 20 "it is not in the background" test -S "/run/hrvm/$(jq -r .uuid "$HRVM_STORE/demo/current")/console.sock"
trace_blind pause demo
trace_blind resume demo
trace_blind screenshot demo "$T/screen.png"
trace_blind restart demo --force
trace_blind stop demo --force
guest_ended watched 60
opened=0
judge watched
[ "$opened" -gt 0 ] || fail "QEMU was not seen to open the base"
trace_blind remove demo --yes

claim "no command was left out"
# What they need is not here: a terminal, and a machine on a folder.
tried+=(console diff)
assert_equal "$(commands | sort -u | grep -vxFf <(printf '%s\n' "${tried[@]}") || true)" "" "commands that were not tried"

