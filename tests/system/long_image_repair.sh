#!/bin/bash
# hrvm is killed KILLS times while it repairs images: before one of its writes or syncs, drawn at random. Whatever the
# moment: the image and its snapshots show what they showed, and the next repair leaves qemu-img check nothing to find.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
KILLS=${KILLS:-10}                 # of each kind of damage; 50 take four minutes
[ "$KILLS" != all ] || KILLS=50 # there is no end of moments
RANDOM=${SEED:-1}

number() { # FILE OFFSET BYTES
  echo $((16#$(od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n')))
}
poke() { # FILE OFFSET HEX
  local hex=$3
  printf "$(sed 's/../\\x&/g' <<< "$hex")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Two snapshots, and a third whose clusters are free again.
make_image() { # OPTIONS
  local snapshot commands
  qemu-img create -q -f qcow2 -o "$1" "$T/sound" 16M
  for snapshot in s1 s2 gone last; do
    commands=()
    for _ in $(seq 12); do commands+=(-c "write -P $((RANDOM % 255 + 1)) $((RANDOM % 200 * 64))k $((RANDOM % 90 + 1))k"); done
    for _ in $(seq 5); do commands+=(-c "discard $((RANDOM % 200 * 64))k 256k"); done
    qemu-io -f qcow2 "${commands[@]}" "$T/sound" > /dev/null
    [ "$snapshot" = last ] || qemu-img snapshot -c "$snapshot" "$T/sound"
  done
  qemu-img snapshot -d gone "$T/sound"
  cp "$T/sound" "$T/damaged"
}

# The digests of all that the image shows, now and in its snapshots.
everything_shown() {
  local snapshot
  for snapshot in '' s1 s2; do
    qemu-img convert -f qcow2 -O raw ${snapshot:+-l "snapshot.name=$snapshot"} "$1" "$T/raw"
    sha256sum < "$T/raw"
  done
}

clusters() { echo $(($(stat -c %s "$1") / (1 << $(number "$1" 20 4)))); }

# In each of the first refcount blocks.
damage_counts() {
  local table block most n i
  table=$(number "$T/damaged" 48 8)
  most=$(((1 << $(number "$T/damaged" 20 4)) / 2))
  [ "$most" -lt "$(clusters "$T/damaged")" ] || most=$(clusters "$T/damaged")
  for n in 0 1 2 3 4 5 6 7; do
    block=$(number "$T/damaged" $((table + n * 8)) 8)
    [ "$block" != 0 ] || continue
    for i in $(seq 8); do poke "$T/damaged" $((block + (RANDOM % (most - 1) + 1) * 2)) "000$((RANDOM % 4))"; done
  done
}
damage_table() { poke "$T/damaged" "$(number "$T/damaged" 48 8)" 0000000000000000; }
damage_marks() {
  poke "$T/damaged" 79 "$(printf %02x $(($(number "$T/damaged" 79 1) | 3)))"
  damage_counts
}
# In each refcount block up to four clusters of the file that nothing uses are counted.
damage_leaks() {
  local cluster_bytes table block per_block n index
  cluster_bytes=$((1 << $(number "$T/damaged" 20 4)))
  per_block=$((cluster_bytes / 2))
  table=$(number "$T/damaged" 48 8)
  truncate -s +$((per_block * cluster_bytes)) "$T/damaged"
  for ((n = 0; n * per_block < $(clusters "$T/damaged"); n++)); do
    block=$(number "$T/damaged" $((table + n * 8)) 8)
    [ "$block" != 0 ] || continue
    od -An -v -tx2 -w2 -j "$block" -N "$cluster_bytes" "$T/damaged" |
      awk -v first=$((n * per_block)) -v end="$(clusters "$T/damaged")" \
        '$1 == "0000" && first + NR - 1 < end && found++ < 4 { print NR - 1 }' > "$T/free"
    while read -r index; do poke "$T/damaged" $((block + index * 2)) 0001; done < "$T/free"
  done
}

moments() {
  cp "$T/damaged" "$T/image"
  strace -y -o "$T/trace" -e trace=pwrite64,fsync,fdatasync "$HRVM" image check --repair "$1" "$T/image" > /dev/null 2>&1 \
    || fail "under strace the repair fails: $(cat "$T/trace")"
  awk -F'(' -v image="$T/image" '
    /^[a-z0-9_]+\(/ { count[$1]++; if (index($0, image)) print $1 ":" count[$1] }' "$T/trace"
}

killed_anywhere() { # REPAIR WORST OPTIONS DAMAGE: WORST is the highest status of qemu-img check after a kill
  local repair=$1 worst=$2 damage=$4 shown moment status checked
  make_image "$3"
  shown=$(everything_shown "$T/sound")
  "damage_$damage"
  assert_equal "$(everything_shown "$T/damaged")" "$shown" "the $damage damage changes what the image shows"
  ! qemu-img check -q "$T/damaged" > /dev/null 2>&1 || fail "the $damage damage does none"
  moments "$repair" > "$T/moments"
  [ "$(wc -l < "$T/moments")" -gt 2 ] || fail "the repair of $damage writes nothing"
  for _ in $(seq "$KILLS"); do
    moment=$(sed -n "$((RANDOM % $(wc -l < "$T/moments") + 1))p" "$T/moments")
    cp "$T/damaged" "$T/image"
    status=$(
      exec 2> /dev/null
      strace -o /dev/null -e "trace=${moment%:*}" -e "inject=${moment%:*}:signal=SIGKILL:when=${moment#*:}" \
        "$HRVM" image check --repair "$repair" "$T/image" > /dev/null < /dev/null
      echo $?
    ) || true
    [ "$status" = 137 ] || fail "killed at $moment, yet the exit status is $status"
    assert_equal "$(everything_shown "$T/image")" "$shown" "shown after a kill at $moment in the repair of $damage"
    checked=0
    qemu-img check -q "$T/image" > /dev/null 2>&1 || checked=$?
    case $checked in
      0 | 3) ;;
      2) [ "$worst" = 2 ] || fail "killed at $moment the repair of $damage leaves corruptions" ;;
      *) fail "killed at $moment the repair of $damage leaves what qemu-img cannot check" ;;
    esac
    expect_status 0 hrvm image check --repair "$repair" "$T/image"
    qemu-img check -q "$T/image" || fail "repaired after a kill at $moment, qemu-img check finds errors"
    assert_equal "$(everything_shown "$T/image")" "$shown" "shown after a kill at $moment and another repair"
  done
  claim "$KILLS kills in a repair of $damage ($3), at $(wc -l < "$T/moments") moments"
}

killed_anywhere leaks 3 cluster_size=512 leaks
killed_anywhere all 2 cluster_size=1k counts
killed_anywhere all 2 cluster_size=4k table
killed_anywhere all 2 cluster_size=64k,extended_l2=on marks
