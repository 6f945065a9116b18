# A machine `demo` of two disks whose guest counts up on both, and the moments at which hrvm is killed meanwhile. For
# tests in tests/system, which source it after lib.sh.
export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
MUTATING=mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir
MUTATING+=,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,fsync,fdatasync,fchmod,fchmodat,chmod

import_counting() {
  BASE=$T/demo.img
  demo_disk "$BASE"
  truncate -s 64M "$T/second.img"
  mkfs.ext4 -q -F "$T/second.img"
  expect_status 0 hrvm import "$BASE" demo --disk "$T/second.img" --memory 512M --cpus 1
  before=$(bases)
  at_end 'hrvm stop demo --force > /dev/null 2>&1'
}
bases() { base_identity "$BASE"; base_identity "$T/second.img"; }

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
  local then now tries
  guest_type line 'echo "count $(cat /second/count)."'
  guest_wait line 'count [0-9]+\.'
  then=${MATCH//[!0-9]/}
  for ((tries = 0; tries < 20; tries++)); do # each number is two syncs, on a host that may be busy
    sleep 1
    guest_type line 'echo "count $(cat /second/count)."'
    guest_wait line 'count [0-9]+\.'
    now=${MATCH//[!0-9]/}
    if [ "$now" -gt "$then" ]; then return; fi
  done
  fail "the guest does not count on: $then, $now"
}

# The moments worth a kill, as SYSCALL:N; those of its orders that change something are marked.
moments() {
  strace -y -s 64 -o "$T/trace" -e "trace=openat,sendto,recvfrom,$MUTATING" "$HRVM" "$@" > /dev/null 2>&1 < /dev/null \
    || fail "under strace it fails: hrvm $*"
  awk -F'(' -v store="$HRVM_STORE" '
    /^[a-z0-9_]+\(/ { count[$1]++
      if ($1 == "sendto") print $1 ":" count[$1], /query-/ ? "" : "order"
      else if ($1 == "recvfrom" || (index($0, store) && ($1 != "openat" || /O_CREAT/))) print $1 ":" count[$1] }' "$T/trace"
}

drawn() { # FILE
  if [ "$KILLS" = all ]; then cut -d' ' -f1 "$1"; return; fi
  # Of what matters most ORDERS are drawn, and the last, which commits; without it all are taken.
  awk -v kills="$KILLS" -v orders="${ORDERS:-1000000}" -v seed="$RANDOM" '
    { moment[NR] = $1; if (/order|^(rename|link|symlink)/) marked[++marks] = NR; else left[++count] = NR }
    END {
      srand(seed)
      if (marks) picked[marked[marks]] = picked[marked[marks] + 1] = 1
      for (; orders > 0 && marks > 0; --orders) { i = 1 + int(rand() * marks); picked[marked[i]] = picked[marked[i] + 1] = 1; marked[i] = marked[marks--] }
      for (; kills > 0 && count > 0; --kills) { i = 1 + int(rand() * count); picked[left[i]] = 1; left[i] = left[count--] }
      for (i = 1; i <= NR; ++i) if (i in picked) print moment[i]
    }' "$1"
}

killed() { # MOMENT COMMAND..., which may be at its end before that
  killed_at "$@"
  [ "$STATUS" = 137 ] || [ "$STATUS" = 0 ] || fail "killed at $1, the exit status is $STATUS: hrvm ${*:2}"
}
