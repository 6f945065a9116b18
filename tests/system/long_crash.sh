#!/bin/bash
# hrvm is killed before system calls by which a change touches the store. Whatever the moment: the next command reads the
# machine as it was before the change or as it is after it, and the next change removes what was left over.
#
# KILLS of each change, and in any case at those around its commit; KILLS=all before every such call. SEED draws others.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
MUTATING=mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir
MUTATING+=,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,fsync,fdatasync,fchmod,fchmodat,chmod
MUTATING+=,copy_file_range,sendfile,ioctl
PRISTINE=$T/pristine # the store that every attempt starts from
KILLS=${KILLS:-8}
RANDOM=${SEED:-$$}

truncate -s 4M "$T/disk.img"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$T/disk.img"

start_over() {
  rm -rf "$HRVM_STORE"
  [ ! -e "$PRISTINE" ] || cp -a "$PRISTINE" "$HRVM_STORE"
}
keep_as_pristine() {
  rm -rf "$PRISTINE"
  cp -a "$HRVM_STORE" "$PRISTINE"
}

# All that a person can tell about the machine, without the ids that are drawn at random.
view() {
  local definition=$HRVM_STORE/demo/current layer
  [ -e "$definition" ] || { echo 'no machine'; return; }
  for layer in $(jq -r '.active.layer, (.log[].held | objects | .layer), .snapshots[].layer' "$definition"); do
    printf '%s ' "$(shown "$HRVM_STORE/demo/layers/$layer.qcow2")"
  done
  jq -c '[.active.head, [.log[].held | objects | .head], [.snapshots[] | [.name, .parent, .description]]]' "$definition"
}

left_over() {
  local machine=$HRVM_STORE/demo
  comm -13 \
    <(jq -r '[.active, (.log[].held | objects), .snapshots[]][]
        | "layers/\(.layer).qcow2", (.nvram // empty | "nvram/\(.).fd")' "$machine/current" | sort -u) \
    <(cd "$machine" && find layers nvram tmp -type f 2> /dev/null | sort)
}

readable() {
  local layer
  expect_status 0 hrvm list --json
  [ -e "$HRVM_STORE/demo/current" ] || return 0
  expect_status 0 hrvm show demo --json
  expect_status 0 hrvm boot demo --print
  for layer in $(jq -r '.active.layer, .snapshots[].layer' "$HRVM_STORE/demo/current"); do
    qemu-img check -q "$HRVM_STORE/demo/layers/$layer.qcow2" || fail "qemu-img check finds errors in layer $layer"
  done
}

# The moments worth a kill, as SYSCALL:N: each call that makes or changes something in the store, or makes it last.
moments() {
  strace -y -o "$T/trace" -e "trace=openat,$MUTATING" "$HRVM" "$@" > /dev/null 2>&1 < /dev/null \
    || fail "under strace it fails: hrvm $*"
  awk -F'(' -v store="$HRVM_STORE" '
    /^[a-z0-9_]+\(/ { count[$1]++; if (index($0, store) && ($1 != "openat" || /O_CREAT/)) print $1 ":" count[$1] }' \
    "$T/trace"
}

# Of the moments in a file: the first and the last, those at each rename and link with the ones beside them, and so many of
# the others as are asked for, at random; in their order.
drawn() { # FILE
  if [ "$KILLS" = all ]; then cat "$1"; return; fi
  awk -v kills="$KILLS" -v seed="$RANDOM" '
    { moment[NR] = $0; if ($0 ~ /^(rename|link|symlink)/) for (i = NR - 1; i <= NR + 1; ++i) picked[i] = 1 }
    END {
      picked[1] = picked[2] = picked[3] = picked[NR] = 1
      srand(seed)
      for (i = 1; i <= NR; ++i) if (!(i in picked)) { left[++count] = i }
      for (; kills > 0 && count > 0; --kills) { i = 1 + int(rand() * count); picked[left[i]] = 1; left[i] = left[count--] }
      for (i = 1; i <= NR; ++i) if (i in picked) print moment[i]
    }' "$1"
}

# killed_anywhere SETTLING COMMAND...: SETTLING is a change that succeeds whether or not COMMAND has been carried out.
killed_anywhere() {
  local settling=$1 before after now moment count=0 befores=0
  shift
  start_over
  before=$(view)
  expect_status 0 hrvm "$@"
  after=$(view)
  [ "$before" != "$after" ] || fail "the change shows no effect: hrvm $*"
  start_over
  moments "$@" > "$T/moments"
  while read -r moment; do
    start_over
    killed_at "$moment" "$@"
    [ "$STATUS" = 137 ] || fail "killed at $moment, yet the exit status is $STATUS: hrvm $*"
    now=$(view)
    [ "$now" = "$before" ] || [ "$now" = "$after" ] || fail "killed at $moment: hrvm $*
--- before
$before
--- after
$after
--- is
$now"
    readable
    [ "$now" = "$after" ] || befores=$((befores + 1))
    # The same once more: it is done if it had not been, and says so if it had.
    if [ "$now" = "$before" ]; then
      expect_status 0 hrvm "$@"
      [ "$(view)" = "$after" ] || fail "repeated after a kill at $moment it does something else: $(view)"
    fi
    expect_status 0 hrvm $settling
    assert_equal "$(left_over)" "" "left over after a kill at $moment and the next change"
    count=$((count + 1))
  done < <(drawn "$T/moments")
  [ "$befores" -gt 2 ] && [ "$befores" -lt "$count" ] || fail "the kills hit no commit point: $befores of $count before"
  claim "$count kills, of $(wc -l < "$T/moments") moments, in: hrvm $*"
}

base=$(base_identity "$T/disk.img")

killed_anywhere 'reset demo --discard --yes' import "$T/disk.img" demo
expect_status 0 hrvm list --plain
assert_equal "$(cut -f1 <<< "$OUT")" demo "machines after the kills"

start_over
expect_status 0 hrvm import "$T/disk.img" demo
qemu-io -c 'write -P 1 1M 64k' "$(active_layer demo)" > /dev/null
keep_as_pristine
killed_anywhere 'reset demo --discard --yes' reset demo
killed_anywhere 'reset demo --discard --yes' snapshot create demo@one -m first

start_over
expect_status 0 hrvm snapshot create demo@one -m first
qemu-io -c 'write -P 2 1088k 64k' "$(active_layer demo)" > /dev/null
keep_as_pristine
killed_anywhere 'reset demo --discard --yes' snapshot revert demo@one
killed_anywhere 'reset demo --discard --yes' snapshot delete demo@one --discard --yes
killed_anywhere 'reset demo --discard --yes' snapshot delete demo@one --yes
killed_anywhere 'reset demo --discard --yes' snapshot rename demo@one demo@uno
killed_anywhere 'reset demo --discard --yes' reset demo --to one

start_over
expect_status 0 hrvm snapshot create demo@two
expect_status 0 hrvm snapshot delete demo@two --yes
keep_as_pristine
killed_anywhere 'reset demo --discard --yes' undo demo

start_over
expect_status 0 hrvm reset demo
keep_as_pristine
killed_anywhere 'reset demo --discard --yes' undo demo

claim "a move is killed anywhere: the machine is whole in one of the two stores, and the same command ends it"
OTHER=/dev/shm/hrvm-test-$$ # another filesystem, so that all is copied
at_end "rm -rf '$OTHER'"
shown_there() { shown "$(HRVM_STORE=$1 active_layer demo)"; }
start_over
before=$(shown_there "$HRVM_STORE")
moments move demo "$OTHER" --allow-volatile > "$T/moments"
assert_equal "$(shown_there "$OTHER")" "$before" "what it shows where it went"
kills=0
while read -r moment; do
  rm -rf "$OTHER"
  start_over
  (exec 2> /dev/null
   strace -o /dev/null -e "trace=${moment%:*}" -e "inject=${moment%:*}:signal=SIGKILL:when=${moment#*:}" \
     "$HRVM" move demo "$OTHER" --allow-volatile > /dev/null < /dev/null) || true
  [ ! -e "$HRVM_STORE/demo/current" ] || {
    assert_equal "$(shown_there "$HRVM_STORE")" "$before" "what it shows where it was, killed at $moment"
    expect_status 0 hrvm move demo "$OTHER" --allow-volatile
  }
  expect_status 0 hrvm list --json
  assert_json "$T/out" '.machines == []'
  expect_status 0 hrvm --store "$OTHER" boot demo --print
  assert_equal "$(shown_there "$OTHER")" "$before" "what it shows where it went, killed at $moment"
  expect_status 0 hrvm --store "$OTHER" verify demo --layers
  kills=$((kills + 1))
done < <(drawn "$T/moments")
[ "$kills" -gt 10 ] || fail "there were $kills kills alone"

assert_equal "$(base_identity "$T/disk.img")" "$base" "the base"
