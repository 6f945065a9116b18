#!/bin/bash
# Snapshots of a machine of two disks while its guest counts up on both: each shows what both held at one moment, whatever
# becomes of hrvm and of QEMU meanwhile.
#
# KILLS of hrvm while it makes one, and in any case around its orders to QEMU and its commits; KILLS=all before every
# system call that matters. SEED draws others.
. "$(dirname "$0")/lib.sh"
export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
KILLS=${KILLS:-6}
RANDOM=${SEED:-$$}
SNAPSHOTS=${SNAPSHOTS:-5}
MUTATING=mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir
MUTATING+=,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,fsync,fdatasync,fchmod,fchmodat,chmod

BASE=$T/demo.img
demo_disk "$BASE"
truncate -s 64M "$T/second.img"
mkfs.ext4 -q -F "$T/second.img"
expect_status 0 hrvm import "$BASE" demo --disk "$T/second.img" --memory 512M --cpus 1
bases() { base_identity "$BASE"; base_identity "$T/second.img"; }
before=$(bases)
at_end 'hrvm stop demo --force > /dev/null 2>&1'

start_counting() {
  expect_status 0 hrvm boot demo --detach --wait-for 'login:' --timeout 180
  guest_start line "$HRVM" console demo
  exec 7<> "$T/guest-line/keys" # a pipe that nobody has open yet would forget the key
  guest_type line ''
  guest_login line
  guest_run line 'mkdir -p /second && mount -t ext4 /dev/vdb /second'
  # Each number is on the first disk before it is on the second.
  guest_run line 'put() { echo $n > $1/new && mv $1/new $1/count && sync; }; count() { while :; do n=$((n + 1)); put /root; put /second; done; }'
  guest_run line 'n=$(cat /second/count 2> /dev/null || echo 0); count & true'
}

state() { hrvm list --json | jq -r '.machines[0].state'; }
current() { jq "$@" "$HRVM_STORE/demo/current"; }
snapshots() { current -r '.snapshots[].name'; }
qemu_pid() { hrvm list --json | jq '.machines[0].pid'; }

# counter IMAGE FILE: in an ext4 as a power cut left it, whose journal is replayed and which then has no error.
counter() {
  e2fsck -E journal_only -y "$1" > "$T/fsck" 2>&1 || true # it says 1 where it replayed
  e2fsck -fn "$1" > "$T/fsck" 2>&1 || fail "e2fsck finds errors in $1: $(cat "$T/fsck")"
  debugfs -R "cat $2" "$1" 2> /dev/null
}

# counters SNAPSHOT: sets $FIRST and $SECOND.
counters() {
  expect_status 0 hrvm export "demo@$1" "$T/disk.raw" --format raw --disk 1 --force
  dd if="$T/disk.raw" of="$T/root.raw" bs=1M skip=18 conv=sparse status=none # its third partition
  FIRST=$(counter "$T/root.raw" /root/count)
  expect_status 0 hrvm export "demo@$1" "$T/disk.raw" --format raw --disk 2 --force
  SECOND=$(counter "$T/disk.raw" /count)
  rm -f "$T/disk.raw" "$T/root.raw"
}

# check_snapshots: all that there are, in the order in which they were made.
check_snapshots() {
  local name last=0
  for name in $(snapshots); do
    counters "$name"
    [ "$FIRST" = "$SECOND" ] || [ "$FIRST" = $((SECOND + 1)) ] || fail "the disks of demo@$name disagree: $FIRST, $SECOND"
    [ "$FIRST" -gt "$last" ] || fail "demo@$name shows $FIRST, and the one before $last"
    last=$FIRST
  done
}

await_count() { # the guest goes on
  local then
  guest_type line 'echo "count $(cat /second/count)."'
  guest_wait line 'count [0-9]+\.'
  then=${MATCH//[!0-9]/}
  sleep 1
  guest_type line 'echo "count $(cat /second/count)."'
  guest_wait line 'count [0-9]+\.'
  [ "${MATCH//[!0-9]/}" -gt "$then" ] || fail "the guest does not count on: $then, $MATCH"
}

start_counting

claim "a machine that runs is kept, again and again, and its guest goes on"
stood=()
for ((i = 1; i <= SNAPSHOTS; i++)); do
  expect_status 0 hrvm snapshot create "demo@s$i" -m "number $i" --json
  assert_json "$T/out" ".live and .findings[0].id == \"no-guest-agent\" and .head == \"s$i\""
  assert_json "$T/out" ".snapshot | .name == \"s$i\" and .description == \"number $i\" and .consistency == \"crash\""
  stood+=("$(jq .frozen_ms "$T/out")")
  assert_equal "$(state)" running "the machine"
  sleep 0.5
done
await_count
printf '  the guest stood still for %s ms\n' "${stood[*]}"
median=$(printf '%s\n' "${stood[@]}" | sort -n | sed -n "$((SNAPSHOTS / 2 + 1))p")
[ "$median" -le 2000 ] || fail "the guest stood still for $median ms" # a busy host, an emulated guest; 500 when it is idle
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '[.snapshots[].consistency] | unique == ["crash"]'

claim "nothing opens a frozen layer for writing any more, and the guard follows"
for layer in $(current -r '.snapshots[].layer'); do
  for file in "$HRVM_STORE/demo/layers/$layer"{,-1}.qcow2; do
    assert_equal "$(stat -c %a "$file")" 400 "the mode of $file"
    for fd in /proc/"$(qemu_pid)"/fd/*; do
      [ "$(readlink "$fd")" = "$file" ] || continue
      grep -q '^flags:.*0$' "${fd/\/fd\//\/fdinfo\/}" || fail "QEMU has $file open for writing"
    done
  done
done
limit_of() { prlimit --fsize --noheadings --output SOFT --pid "$(qemu_pid)" | tr -d ' '; }
[ "$(limit_of)" != unlimited ] || fail "QEMU is held to no bound"

claim "what was kept can be read while it runs on"
counters s1
[ "$FIRST" = "$SECOND" ] || [ "$FIRST" = $((SECOND + 1)) ] || fail "the disks of demo@s1 disagree: $FIRST, $SECOND"

claim "what a running machine refuses, and what it names"
expect_status 1 hrvm snapshot create demo@s1
expect_status 1 hrvm snapshot create demo@other --freeze require
assert_contains "$ERR" 'no agent answers in the guest of demo'
for command in 'reset demo' 'snapshot revert demo@s1'; do
  expect_status 1 hrvm $command --json
  assert_json "$T/err" '.kind == "busy" and (.hint | contains("--stop"))'
done
assert_equal "$(current '.pending')" null "what is pending"

# The moments worth a kill, as SYSCALL:N; those of its orders and around them are marked.
moments() {
  strace -y -s 64 -o "$T/trace" -e "trace=openat,sendto,recvfrom,$MUTATING" "$HRVM" "$@" > /dev/null 2>&1 < /dev/null \
    || fail "under strace it fails: hrvm $*"
  awk -F'(' -v store="$HRVM_STORE" '
    /^[a-z0-9_]+\(/ { count[$1]++
      if ($1 == "sendto") print $1 ":" count[$1], "order"
      else if ($1 == "recvfrom" || (index($0, store) && ($1 != "openat" || /O_CREAT/))) print $1 ":" count[$1] }' "$T/trace"
}

drawn() { # FILE
  if [ "$KILLS" = all ]; then cut -d' ' -f1 "$1"; return; fi
  awk -v kills="$KILLS" -v seed="$RANDOM" '
    { moment[NR] = $1; if (/order|^(rename|link|symlink)/) { picked[NR] = picked[NR + 1] = 1 } else left[++count] = NR }
    END {
      srand(seed)
      for (; kills > 0 && count > 0; --kills) { i = 1 + int(rand() * count); picked[left[i]] = 1; left[i] = left[count--] }
      for (i = 1; i <= NR; ++i) if (i in picked) print moment[i]
    }' "$1"
}

killed_at() { # MOMENT COMMAND...
  local moment=$1 status
  shift
  status=$(
    exec 2> /dev/null
    strace -o /dev/null -e "trace=${moment%:*}" -e "inject=${moment%:*}:signal=SIGKILL:when=${moment#*:}" \
      "$HRVM" "$@" > /dev/null < /dev/null
    echo $?
  ) || true
  [ "$status" = 137 ] || [ "$status" = 0 ] || fail "killed at $moment, the exit status is $status: hrvm $*"
}

claim "hrvm is killed while it makes one: the machine runs on, and the next command settles whether there is one"
moments snapshot create demo@traced > "$T/moments"
made=0 kills=0
for moment in $(drawn "$T/moments"); do
  kills=$((kills + 1))
  killed_at "$moment" snapshot create "demo@k$kills"
  assert_equal "$(state)" running "the machine after a kill at $moment"
  # A command that changes nothing else.
  expect_status 0 hrvm snapshot rename demo@s1 s1x
  expect_status 0 hrvm snapshot rename demo@s1x s1
  assert_equal "$(current '.pending')" null "what is pending after a kill at $moment"
  assert_equal "$(state)" running "the machine after a kill at $moment, and the next change"
  if snapshots | grep -qx "k$kills"; then made=$((made + 1)); fi
  assert_equal "$(layers demo | wc -l)" "$((2 * ($(current '.snapshots | length') + 1)))" "the layers after a kill at $moment"
  written=$HRVM_STORE/demo/layers/$(current -r .active.layer).qcow2
  expect_status 1 qemu-io -c 'write 0 512' "$written" # QEMU has it
done
[ "$made" -gt 0 ] && [ "$made" -lt "$kills" ] || fail "of $kills kills $made came after the snapshot was taken"
printf '  %d kills, %d of the snapshots were made\n' "$kills" "$made"
await_count

claim "QEMU is killed as well, before and after it has gone on in the new layers"
# The order that has it switch, and the commit of what it did.
switch=sendto:$(grep '^sendto' "$T/trace" | grep -n '"transaction' | cut -d: -f1)
commit=$(awk '/order/ { if ($1 == "'"$switch"'") after = 1; next } after && /^(rename|symlink)/ { print $1; exit }' "$T/moments")
for moment in "$switch" "$commit"; do
  name=q${moment%:*}
  killed_at "$moment" snapshot create "demo@$name"
  sleep 1 # it counts on, in which layer ever
  kill -9 "$(qemu_pid)"
  await 20 "the machine still runs" eval '[ "$(state)" = stopped ]'
  expect_status 0 hrvm snapshot rename demo@s1 s1x
  expect_status 0 hrvm snapshot rename demo@s1x s1
  assert_equal "$(current '.pending')" null "what is pending"
  guest_ended line
  case $moment in
    "$switch") assert_lacks "$(snapshots)" "$name" "the snapshots" ;;
    *) assert_contains "$(snapshots)" "$name" "the snapshots" ;;
  esac
  start_counting
  await_count
done

claim "--stop ends it first"
expect_status 0 hrvm snapshot create demo@last
expect_status 0 hrvm snapshot revert demo@last --stop
assert_equal "$(state)" stopped "the machine"
guest_ended line

claim "each snapshot shows both disks as they were at one moment, later than the one before"
check_snapshots
for layer in "$HRVM_STORE"/demo/layers/*.qcow2; do
  qemu-img check -q "$layer" || fail "qemu-img check finds errors in $layer"
done
assert_equal "$(find "$HRVM_STORE/demo/layers" -name '*.qcow2' | wc -l)" \
  "$((2 * ($(current '.snapshots | length') + 1 + $(current '[.log[].held | objects] | length'))))" "the layers"
expect_status 0 hrvm verify demo --layers
assert_equal "$(bases)" "$before" "the bases"
