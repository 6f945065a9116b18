#!/bin/bash
# Snapshots of a machine with what its guest has in memory: a count that is kept nowhere else goes on after a resume, and
# the disk is of the same moment. Whatever becomes of hrvm meanwhile, the guest runs on and the store loads.
#
# KILLS of its orders to QEMU, drawn, at which hrvm is killed while it saves; KILLS=all tries each.
. "$(dirname "$0")/lib.sh"
export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
KILLS=${KILLS:-4}

import_demo
before=$(base_identity "$BASE")
at_end 'hrvm stop demo --force > /dev/null 2>&1; hrvm stop demo --force > /dev/null 2>&1'

current() { jq "$@" "$HRVM_STORE/demo/current"; }
state() { hrvm list --json | jq -r '.machines[0].state'; }
qemu_pid() { hrvm list --json | jq '.machines[0].pid'; }
run_folder() { tr '\0' '\n' < "/proc/$(qemu_pid)/cmdline" | sed -n 's/.*path=\(.*\)\/qmp.sock.*/\1/p'; }
memory_files() { find "$HRVM_STORE/demo/memory" -type f 2> /dev/null | wc -l; }
milliseconds() { date +%s%3N; }

attach() { # MACHINE[@SNAP]
  guest_start line "$HRVM" console "$1"
  exec 7<> "$T/guest-line/keys" # a pipe that nobody has open yet would forget the key
}

# number NAME: a variable of the guest's shell, which is in its memory alone.
number() {
  guest_type line "echo \"$1 is \$$1.\""
  guest_wait line "$1 is [0-9]+\\."
  NUMBER=${MATCH//[!0-9]/}
}

claim "what does not run has no memory, and what cannot stand together is refused"
expect_status 1 hrvm snapshot create demo@cold --with-memory
assert_contains "$ERR" 'demo is not running, and has no memory to save'
expect_status 2 hrvm snapshot create demo --auto --with-memory
expect_status 2 hrvm snapshot create demo@cold --with-memory --freeze require
expect_status 1 hrvm boot demo --resume
assert_contains "$ERR" 'demo lies on no snapshot'

start=$(milliseconds)
expect_status 0 hrvm boot demo --detach --wait-for 'login:' --timeout 180
attach demo
guest_type line ''
guest_login line
cold=$(($(milliseconds) - start))
guest_run line 'x=42; echo on-the-disk > /root/noted; sync'

claim "a guest that runs is kept with its memory, and goes on"
expect_status 0 hrvm snapshot create demo@warm --with-memory --json
assert_json "$T/out" '.live and .snapshot.consistency == "memory" and .snapshot.memory_bytes > 1048576 and .findings == []'
printf '  the guest stood still for %s ms; its memory takes %s bytes\n' "$(jq .frozen_ms "$T/out")" \
  "$(jq .snapshot.memory_bytes "$T/out")"
assert_equal "$(state)" running "the machine"
assert_equal "$(memory_files)" 1 "the files of memory"
assert_equal "$(stat -c %a "$HRVM_STORE"/demo/memory/*)" 600 "the mode of the memory"
assert_equal "$(stat -c %s "$HRVM_STORE"/demo/memory/*)" "$(jq .snapshot.memory_bytes "$T/out")" "its size"
guest_run line 'x=$((x + 1)); echo later > /root/noted; sync'
expect_status 0 hrvm snapshot show demo@warm
assert_contains "$OUT" 'Memory of its guest'
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '.snapshots[0].memory_bytes > 1048576'
number x
assert_equal "$NUMBER" 43 "x, of the guest that ran on"

claim "one that is paused is refused"
expect_status 0 hrvm pause demo
expect_status 1 hrvm snapshot create demo@other --with-memory
assert_contains "$ERR" 'demo is paused'
expect_status 0 hrvm resume demo
hrvm stop demo --force > /dev/null
guest_ended line

claim "the snapshot's guest goes on from there, in a throw-away layer, with the disk as it was"
start=$(milliseconds)
expect_status 0 hrvm boot demo@warm --resume --detach
attach demo@warm
guest_type line ''
guest_wait line '# '
warm=$(($(milliseconds) - start))
number x
assert_equal "$NUMBER" 42 "x, of the guest that goes on"
guest_run line 'grep -qx on-the-disk /root/noted && echo thrown-away > /root/noted && sync'
printf '  a prompt after %s ms, by a cold boot and a login after %s ms\n' "$warm" "$cold"
[ $((warm * 4)) -le "$cold" ] || fail "it took $warm ms, and a cold boot $cold ms"
hrvm stop demo@warm --force > /dev/null
guest_ended line

claim "it goes on as often as one likes, also attached and watched"
status=0
echo 'echo "x was $x and $(cat /root/noted)."' | hrvm boot demo@warm --resume --wait-for 'x was 42 and on-the-disk\.' \
  --timeout 60 > "$T/out" 2> "$T/err" || status=$?
assert_equal "$status" 0 "the exit status; $(cat "$T/out" "$T/err")"

claim "another machine is refused, by what differs"
for change in '--memory 640M:memory: 512M then, 640M now' '--cpus 2:CPUs: 1 then, 2 now' \
  '--console serial:device video0: VGA,id=video0 then, none now' '--cpu qemu64:CPU model: max then, qemu64 now'; do
  expect_status 4 hrvm boot demo@warm --resume --detach ${change%%:*} --json
  assert_contains "$(jq -r .message "$T/err")" "${change#*:}"
  assert_json "$T/err" '.kind == "refused" and (.hint | contains("--force"))'
done
expect_status 1 hrvm boot demo@warm --resume --detach --memory 640M --force
assert_contains "$ERR" 'QEMU did not start'

claim "the machine itself goes on only where nothing was written since"
expect_status 4 hrvm boot demo --resume
assert_contains "$ERR" 'was written to since its snapshot warm'
expect_status 0 hrvm snapshot revert demo@warm
expect_status 0 hrvm boot demo --resume --detach
attach demo
guest_type line ''
number x
assert_equal "$NUMBER" 42 "x, of the guest that goes on"
guest_run line 'x=50; grep -qx on-the-disk /root/noted && echo resumed > /root/noted && sync'

claim "one that went on can be kept with its memory again, and reverted to while it runs"
expect_status 0 hrvm snapshot create demo@again --with-memory
guest_run line 'x=51; echo after > /root/noted; sync'
expect_status 0 hrvm snapshot revert demo@again --resume --stop --json
assert_json "$T/out" '.pid > 1'
guest_ended line
attach demo
guest_type line ''
number x
assert_equal "$NUMBER" 50 "x, of the guest that goes on"
guest_run line 'grep -qx resumed /root/noted'
expect_status 1 hrvm snapshot revert demo@none --resume

claim "hrvm is killed while it saves: the guest goes on, and the store loads"
guest_run line 'x=60; dd if=/dev/urandom of=/dev/shm/filled bs=1M count=64 2> /dev/null || true'
strace -f -s 64 -o "$T/trace" -e trace=sendto,sendmsg "$HRVM" snapshot create demo@traced --with-memory > /dev/null 2>&1 \
  || fail "under strace it fails"
# The orders to QEMU from where it is told to save on.
read -r first count < <(awk '/^[0-9]+ +sendto\(/ { n++; if (!first && /migrate-set-capabilities/) first = n } END { print first, n }' "$T/trace")
if [ "$KILLS" = all ]; then moments=$(seq "$first" "$count"); else moments=$(shuf -n "$KILLS" -i "$first-$count"); fi
made=0
for moment in $moments; do
  status=$(
    exec 2> /dev/null
    strace -f -o /dev/null -e trace=sendto -e "inject=sendto:signal=SIGKILL:when=$moment" \
      "$HRVM" snapshot create "demo@k$moment" --with-memory > /dev/null < /dev/null
    echo $?
  ) || true
  [ "$status" = 137 ] || [ "$status" = 0 ] || fail "killed at order $moment, the exit status is $status"
  await 60 "the machine after a kill at order $moment" eval '[ "$(state)" = running ]'
  await 60 "the next command after a kill at order $moment" hrvm snapshot rename demo@warm warmer > /dev/null
  expect_status 0 hrvm snapshot rename demo@warmer warm
  assert_equal "$(current .pending)" null "what is pending after a kill at order $moment"
  assert_equal "$(memory_files)" "$(current '[.snapshots[].memory | objects] | length')" "the files of memory"
  if current -e --arg name "k$moment" 'any(.snapshots[]; .name == $name)' > /dev/null; then made=$((made + 1)); fi
  number x
  assert_equal "$NUMBER" 60 "x, after a kill at order $moment"
  [ ! -e "$(run_folder)/saving" ] || fail "a mark is left after a kill at order $moment"
done
printf '  %d kills, %d snapshots\n' "$(wc -w <<< "$moments")" "$made"

claim "Ctrl-C leaves it as it was"
snapshots=$(current '.snapshots | length')
for ((i = 0; i < 3; i++)); do
  "$HRVM" snapshot create "demo@c$i" --with-memory > /dev/null 2> "$T/err" < /dev/null &
  sleep "0.$((RANDOM % 5 + 1))"
  kill -TERM $! 2> /dev/null || true
  status=0
  wait $! || status=$?
  case $status in
    0) snapshots=$((snapshots + 1)) ;;
    143) grep -q 'was made all the same' "$T/err" && snapshots=$((snapshots + 1)) ;;
    *) fail "ended by a signal, the exit status is $status: $(cat "$T/err")" ;;
  esac
  assert_equal "$(state)" running "the machine"
  assert_equal "$(current '.snapshots | length')" "$snapshots" "the snapshots"
done
number x
assert_equal "$NUMBER" 60 "x"

claim "a device that QEMU cannot save is told, and nothing is done"
hrvm stop demo --force > /dev/null
guest_ended line
expect_status 0 hrvm boot demo --bus nvme --detach
files=$(memory_files)
expect_status 1 hrvm snapshot create demo@nvme --with-memory
assert_contains "$ERR" 'cannot be saved, says QEMU'
assert_contains "$ERR" nvme
assert_equal "$(memory_files)" "$files" "the files of memory"
assert_equal "$(current .pending)" null "what is pending"
hrvm stop demo --force > /dev/null

claim "its memory goes with a snapshot, and prune leaves it alone"
expect_status 0 hrvm snapshot prune demo --all --keep-last 1 --dry-run --json
assert_json "$T/out" '.snapshots[] | select(.name == "warm") | .keep and (.because | index("holds memory"))'
expect_status 0 hrvm snapshot rename demo@again once-more
files=$(memory_files)
expect_status 0 hrvm snapshot delete demo@once-more --yes
assert_equal "$(memory_files)" "$files" "the files of memory, for undo"
expect_status 0 hrvm undo demo
assert_equal "$(current -r '.snapshots[] | select(.name == "once-more").consistency')" memory "what undo brings back"
expect_status 0 hrvm snapshot delete demo@once-more --discard --yes
assert_equal "$(memory_files)" $((files - 1)) "the files of memory"
expect_status 0 hrvm snapshot prune demo --all --keep-last 1 --yes
assert_equal "$(memory_files)" "$(current '[.snapshots[].memory | objects] | length')" "the files of memory"

claim "a memory that is not what was saved is told"
file=$HRVM_STORE/demo/memory/$(current -r '.snapshots[] | select(.name == "warm").memory.id')
assert_equal "$(sha256sum < "$file" | cut -d' ' -f1)" "$(current -r '.snapshots[] | select(.name == "warm").memory.sha256')" \
  "the hash of the memory"
expect_status 0 hrvm verify demo@warm --full
cp "$file" "$T/memory"
size=$(stat -c %s "$file")
for at in 4096 $((size / 2)) $((size - 100)); do # also behind what QEMU needs of it
  cp "$T/memory" "$file"
  printf 'other' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
  expect_status 1 hrvm boot demo@warm --resume --detach --json
  tail -n 1 "$T/err" > "$T/message"
  assert_json "$T/message" '.kind == "corrupt" and (.message | contains("SHA-256"))'
  assert_equal "$(hrvm show demo --json | jq '.machines[0].throw_away_runs | length')" 0 "runs"
done
expect_status 1 hrvm boot demo@warm --resume --wait-for never --timeout 60
assert_contains "$ERR$OUT" 'another SHA-256 than what was saved'
expect_status 1 hrvm boot demo@warm --resume
assert_contains "$ERR" 'another SHA-256 than what was saved'
expect_status 3 hrvm verify demo --layers --full --json
assert_json "$T/out" '[.evidence[] | select(.what == "memory of warm: sha256") | .same] == [false]'
expect_status 0 hrvm verify demo --layers --json
cp "$T/memory" "$file"
expect_status 0 hrvm boot demo@warm --resume --detach
hrvm stop demo@warm --force > /dev/null
truncate -s -1 "$file"
expect_status 1 hrvm boot demo@warm --resume --detach --json
assert_json "$T/err" '.kind == "corrupt"'
expect_status 0 hrvm doctor demo --json
assert_json "$T/out" '.checks[] | select(.id == "layers") | .status == "warning" and (.message | contains("demo@warm"))'
rm "$file"
assert_equal "$(state)" stopped "the machine"
expect_status 0 hrvm boot demo@warm --detach
hrvm stop demo@warm --force > /dev/null

claim "a guest with UEFI's variables and two disks goes on with both of them"
truncate -s 64M "$T/second.img"
mkfs.ext4 -q -F "$T/second.img"
expect_status 0 hrvm import "$BASE" two --disk "$T/second.img" --memory 512M --cpus 2 --firmware uefi
at_end 'hrvm stop two --force > /dev/null 2>&1'
expect_status 0 hrvm boot two --detach --wait-for 'login:' --timeout 240
attach two
guest_type line ''
guest_login line
guest_run line 'mkdir -p /second && mount -t ext4 /dev/vdb /second && echo then > /second/noted && y=7'
expect_status 0 hrvm snapshot create two@warm --with-memory
guest_run line 'echo later > /second/noted; echo later > /root/noted; sync'
hrvm stop two --force > /dev/null
guest_ended line
expect_status 0 hrvm boot two@warm --resume --detach
attach two@warm
guest_type line ''
number y
assert_equal "$NUMBER" 7 "y, of the guest that goes on"
guest_run line 'sync; grep -qx then /second/noted && [ ! -e /root/noted ] && umount /second && mount -t ext4 /dev/vdb /second'
hrvm stop two@warm --force > /dev/null
guest_ended line
expect_status 4 hrvm boot two@warm --resume --detach --firmware bios
assert_contains "$ERR" 'machine options'

claim "it goes on in place of hrvm, too"
expect_status 0 hrvm snapshot revert two@warm
guest_start line "$HRVM" boot two --resume --console auto
exec 7<> "$T/guest-line/keys"
await 20 "the machine runs" eval '[ "$(hrvm list --json | jq -r ".machines[] | select(.name == \"two\").state")" = running ]'
guest_type line ''
number y
assert_equal "$NUMBER" 7 "y, of the guest that goes on"
hrvm stop two --force > /dev/null
guest_ended line

claim "a TPM is refused"
expect_status 0 hrvm boot two --detach --tpm
expect_status 1 hrvm snapshot create two@tpm --with-memory
assert_contains "$ERR" 'two has a TPM'
hrvm stop two --force > /dev/null

if [ "$(id -u)" = 0 ]; then
  claim "there has to be room for all of its memory, unless it is to be saved all the same"
  truncate -s 400M "$T/small.img"
  mkfs.ext4 -q -F "$T/small.img"
  mkdir "$T/small"
  mount -o loop "$T/small.img" "$T/small"
  at_end 'umount "$T/small"'
  at_end 'hrvm stop small --store "$T/small/store" --force > /dev/null 2>&1'
  in_small() { hrvm --store "$T/small/store" "$@"; }
  expect_status 0 in_small import "$BASE" small --memory 512M --cpus 1
  expect_status 0 in_small boot small --detach
  expect_status 4 in_small snapshot create small@one --with-memory
  assert_contains "$ERR" 'the memory of small may take 512 MiB'
  expect_status 0 in_small snapshot create small@one --with-memory --allow-low-space
  expect_status 0 in_small stop small --force
fi

claim "remove takes it all along"
expect_status 0 hrvm remove demo --yes
[ ! -e "$HRVM_STORE/demo" ] || fail "something is left: $(find "$HRVM_STORE/demo")"
assert_equal "$(base_identity "$BASE")" "$before" "the base"
