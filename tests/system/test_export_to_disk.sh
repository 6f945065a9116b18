#!/bin/bash
# A machine written onto another disk: all of it, resumed where it was cut off, and never onto a wrong one.
. "$(dirname "$0")/lib.sh"
need_root

SEED=${SEED:-$RANDOM}
KILLS=${KILLS:-6}
[ "$KILLS" != all ] || KILLS=60
RANDOM=$SEED

attach() { losetup --find --show "$@"; }
probe_loop=$(attach "$HERE/lib.sh" 2> /dev/null) || skip "there is no loop device to be had"
losetup -d "$probe_loop"

# attach_as NAME FILE [OPTIONS of losetup]: sets $NAME to a loop device on the file.
attach_as() {
  local name=$1 device
  device=$(attach "${@:3}" "$2") || return
  at_end "losetup -d $device 2> /dev/null || true"
  printf -v "$name" %s "$device"
}

# A disk of 48 MiB: a GPT with a FAT that holds random bytes, an ext4, and room behind them.
truncate -s 48M "$T/base.img"
sgdisk -a 8 -n 1:2048:+8M -t 1:ef00 -n 2:0:+24M "$T/base.img" > "$T/sgdisk.log"
mformat -i "$T/base.img@@1M" -T 16384 -h 255 -s 63 -H 2048 ::
head -c 5M /dev/urandom > "$T/file"
mcopy -i "$T/base.img@@1M" "$T/file" ::
mke2fs -q -t ext4 -E offset=$((9 << 20)),nodiscard "$T/base.img" 24M
expect_status 0 hrvm import "$T/base.img" web --memory 256M
expect_status 0 hrvm snapshot create web@before
# What the guest wrote: data where there were none, and zeros where there were data.
head -c 3M /dev/urandom > "$T/written"
layer=$(active_layer web)
qemu-io -c "write -s $T/written 20M 3M" -c 'write -z 2M 1M' "$layer" > "$T/io.log"
expect_status 0 hrvm export web "$T/expected.raw" --format raw
base=$(base_identity "$T/base.img")

# put DISK NAME [OPTIONS]: written without a question; the report is in $T/out.
put() { expect_status 0 hrvm export web --to "$1" --yes "$2" --json "${@:3}"; }
refused() { # STATUS WORDS DISK [OPTIONS]
  local before
  before=$(sha256sum < "${TARGET:-$T/equal.img}")
  expect_status "$1" hrvm export web --to "${@:3}"
  assert_contains "$ERR" "$2"
  assert_equal "$(sha256sum < "${TARGET:-$T/equal.img}")" "$before" "the disk that was refused"
}

claim "a disk of the same size, full of old data, holds what the guest saw"
head -c 48M /dev/urandom > "$T/equal.img"
attach_as EQUAL "$T/equal.img"
put "$EQUAL" equal.img
cmp "$T/expected.raw" "$T/equal.img"
assert_json "$T/out" '.schema == "hrvm.export/1" and .verified and .written_bytes > 40000000
  and .compared_bytes == 50331648 and .target.size_bytes == 50331648 and .format == "raw"'

claim "a second run finds it there, and writes nothing"
put "$EQUAL" equal.img
assert_json "$T/out" '.verified and .written_bytes == 0'

claim "only what differs is written"
printf x | dd of="$T/equal.img" bs=1 seek=$((30 << 20)) conv=notrunc status=none
blockdev --flushbufs "$EQUAL"
put "$EQUAL" equal.img
cmp "$T/expected.raw" "$T/equal.img"
assert_json "$T/out" '.written_bytes > 0 and .written_bytes <= 1048576 + 4096'

claim "a snapshot is written as it was"
expect_status 0 hrvm export web@before --to "$EQUAL" --yes equal.img
cmp "$T/base.img" "$T/equal.img"
assert_contains "$OUT" "Take the old disk out"

claim "on a larger disk the GPT reaches to its end, and what lies there of old is gone"
head -c 80M /dev/urandom > "$T/larger.img"
attach_as LARGER "$T/larger.img"
put "$LARGER" larger.img
sgdisk -v "$T/larger.img" > "$T/sgdisk.log"
assert_contains "$(cat "$T/sgdisk.log")" "No problems found"
cmp -i $((1 << 20)) -n $((46 << 20)) "$T/expected.raw" "$T/larger.img"
assert_equal "$(sgdisk -i 2 "$T/larger.img" | grep -E 'GUID|sector')" \
  "$(sgdisk -i 2 "$T/expected.raw" | grep -E 'GUID|sector')" "the second partition"
assert_equal "$(tail -c 1M "$T/larger.img" | head -c 900K | tr -d '\0' | wc -c)" 0 "old data in the last MiB"

claim "a disk with partitions that the kernel knows is written, and they are looked for again"
truncate -s 50M "$T/parted.img"
sgdisk -n 1:2048:+4M "$T/parted.img" > "$T/sgdisk.log"
attach_as PARTED "$T/parted.img" --partscan
put "$PARTED" parted.img
partx -s -g -o NR "$PARTED" > "$T/partx.log"
assert_equal "$(tr -d ' \n' < "$T/partx.log")" 12 "its partitions"

claim "a smaller disk takes it where all that it has no room for is in no partition, and zero"
truncate -s 40M "$T/smaller.img"
attach_as SMALLER "$T/smaller.img"
put "$SMALLER" smaller.img
sgdisk -v "$T/smaller.img" > "$T/sgdisk.log"
assert_contains "$(cat "$T/sgdisk.log")" "No problems found"
cmp -i $((1 << 20)) -n $((32 << 20)) "$T/expected.raw" "$T/smaller.img"

claim "else it is refused: a partition that ends behind it, and something that lies in none"
truncate -s 30M "$T/short.img"
attach_as SHORT "$T/short.img"
TARGET=$T/short.img refused 4 "ends behind the end" "$SHORT" --yes short.img
expect_status 0 hrvm clone web stray
qemu-io -c 'write -P 7 44M 4k' "$(active_layer stray)" > "$T/io.log"
expect_status 4 hrvm export stray --to "$SMALLER" --yes smaller.img
assert_contains "$ERR" "in no partition"
expect_status 0 hrvm remove stray --yes

claim "sectors of 512 and 4096 bytes are not mixed"
truncate -s 48M "$T/4k.img"
if attach_as FOURK "$T/4k.img" --sector-size 4096; then
  TARGET=$T/4k.img refused 4 "sectors of 512 bytes" "$FOURK" --yes 4k.img
else
  echo "not tried: a loop device with sectors of 4096 bytes"
fi

claim "wrong words write nothing, nor do none where nobody can be asked"
refused 4 "that is not the backing file's name" "$EQUAL" --yes other.img
refused 2 "There is no terminal to ask on" "$EQUAL"
refused 2 "" "$EQUAL" --yes
expect_status 0 hrvm export web --to "$EQUAL" --dry-run
assert_contains "$OUT" "Confirmed by:"
assert_contains "$OUT" "a partition table with 2 partitions (vfat, ext4)"

claim "on a terminal its word is asked for, and typed"
typed() { # WORD: sets $STATUS
  STATUS=0
  { sleep 2; echo "$1"; } | script -qec "$HRVM export web --to $EQUAL" "$T/typed" > /dev/null 2>&1 || STATUS=$?
}
typed other.img
assert_equal "$STATUS" 4 "the exit status for a wrong word"
assert_contains "$(cat "$T/typed")" "Type its backing file's name to go on"
typed equal.img
assert_equal "$STATUS" 0 "the exit status for the right word"
cmp "$T/expected.raw" "$T/equal.img"

claim "what is no disk is refused, with what makes an image"
expect_status 1 hrvm export web --to "$T/equal.img" --yes equal.img
assert_contains "$ERR" "hrvm export MACHINE FILE"
expect_status 1 hrvm export web --to "$T" --yes "$T"

claim "a disk in use is refused: mounted, swap, held by device-mapper, opened by somebody, below another loop device"
mkdir "$T/mnt"
truncate -s 60M "$T/used.img"
attach_as USED "$T/used.img"
TARGET=$T/used.img
mke2fs -q -t ext4 "$USED"
mount -o ro "$USED" "$T/mnt"
at_end "umount '$T/mnt' 2> /dev/null || true"
refused 4 "mounted at $T/mnt" "$USED" --yes used.img
umount "$T/mnt"
unshare -m sh -c "mount -o ro $USED $T/mnt && exec sleep 60" &
elsewhere=$!
at_end "kill $elsewhere 2> /dev/null || true"
is_claimed() { ! python3 -c "import os; os.close(os.open('$USED', os.O_RDONLY | os.O_EXCL))" 2> /dev/null; }
await 10 "nobody mounts it" is_claimed
refused 4 "in use" "$USED" --yes used.img
kill "$elsewhere"
wait "$elsewhere" 2> /dev/null || true
is_free() { ! is_claimed; }
await 10 "it stays mounted" is_free
attach_as ABOVE "$USED"
refused 4 "in use: held by loop" "$USED" --yes used.img
losetup -d "$ABOVE"
attach_as TWIN "$T/used.img"
refused 4 "in use: held by loop" "$USED" --yes used.img
losetup -d "$TWIN"
if mkswap -q "$USED" 2> /dev/null && swapon "$USED" 2> /dev/null; then
  refused 4 "swap on" "$USED" --yes used.img
  swapoff "$USED"
else
  echo "not tried: swap, which cannot be had here"
fi
if dmsetup create "hrvm-test-$$" --table "0 2048 linear $USED 0" 2> /dev/null; then
  refused 4 "held by dm" "$USED" --yes used.img
  dmsetup remove "hrvm-test-$$"
else
  echo "not tried: device-mapper, which this kernel lacks"
fi
TARGET=

claim "a read-only disk is refused"
attach_as READONLY "$T/short.img" --read-only
losetup -d "$SHORT"
TARGET=$T/short.img refused 1 "read-only" "$READONLY" --yes short.img

claim "a base is refused, whatever leads to it: its disk, a loop device on the image, a layer, and a base of another store"
TARGET=$T/base.img
attach_as ONBASE "$T/base.img"
refused 4 "is made of" "$ONBASE" --yes base.img --force
losetup -d "$ONBASE"
cp "$T/base.img" "$T/disk.img"
attach_as DISK "$T/disk.img"
expect_status 0 hrvm import "$DISK" disk --memory 256M
TARGET=$T/disk.img refused 4 "machine disk" "$DISK" --yes disk.img
TARGET=$T/disk.img refused 4 "machine disk" "$DISK" --yes disk.img --store "$HRVM_STORE"
attach_as LAYER "$layer"
TARGET=$layer refused 4 "lies in the store" "$LAYER" --yes "$(basename "$layer")"
losetup -d "$LAYER"
expect_status 0 hrvm --store "$T/other-store" import "$T/base.img" web --memory 256M
expect_status 4 hrvm --store "$T/other-store" export web --to "$DISK" --yes disk.img
assert_contains "$ERR" "machine disk of the store $HRVM_STORE"
expect_status 0 hrvm remove disk --yes
TARGET=

claim "killed at any write, the disk bears no table, and the same command makes it whole"
# killed_in_thread N COMMAND...: hrvm is killed as the first of its threads makes its Nth write to $KILLED; sets $STATUS.
killed_in_thread() {
  STATUS=$(
    exec 2> /dev/null
    strace -f -o /dev/null -P "$KILLED" -e trace=pwrite64 -e "inject=pwrite64:signal=SIGKILL:when=$1" \
      "$HRVM" "${@:2}" > /dev/null < /dev/null
    echo $?
  ) || true
}
head -c 48M /dev/urandom > "$T/killed.img"
attach_as KILLED "$T/killed.img"
killed=0
for ((kill = 1; kill <= KILLS; ++kill)); do
  moment=$((RANDOM % 9 + 1))
  head -c 48M /dev/urandom > "$T/killed.img"
  blockdev --flushbufs "$KILLED"
  killed_in_thread "$moment" export web --to "$KILLED" --yes killed.img
  if [ "$STATUS" = 137 ] && ! cmp -s "$T/expected.raw" "$T/killed.img"; then
    killed=$((killed + 1))
    assert_equal "$(head -c 4096 "$T/killed.img" | tr -d '\0' | wc -c)" 0 \
      "the first sectors, killed at write $moment (SEED=$SEED)"
    put "$KILLED" killed.img
  fi
  cmp "$T/expected.raw" "$T/killed.img" || fail "killed at write $moment (SEED=$SEED)"
done
[ "$killed" -gt 0 ] || fail "it was never killed half-way (SEED=$SEED)"

claim "interrupted it says what the disk is now, and how to go on"
head -c 48M /dev/urandom > "$T/killed.img"
blockdev --flushbufs "$KILLED"
status=0 # at the first sync, which follows the wiping of the first MiB
ASAN_OPTIONS=detect_leaks=0 strace -f -o /dev/null -P "$KILLED" -e trace=fsync -e inject=fsync:signal=SIGINT:when=1 \
  "$HRVM" export web --to "$KILLED" --yes killed.img > "$T/out" 2> "$T/err" < /dev/null || status=$?
assert_equal "$status" 130 "the exit status"
assert_contains "$(cat "$T/err")" "is half-written"
assert_contains "$(cat "$T/err")" "the same command goes on"

claim "the base is opened for reading alone, and is what it was"
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -y -e trace=open,openat,openat2 -o "$T/strace" \
  "$HRVM" export web --to "$KILLED" --yes killed.img > "$T/out" 2> "$T/err" < /dev/null
cmp "$T/expected.raw" "$T/killed.img"
grep -q "\"$T/base.img\", O_RDONLY" "$T/strace" || fail "strace did not see the base opened"
assert_equal "$(grep -F "$T/base.img\"" "$T/strace" | grep -E 'O_RDWR|O_WRONLY|O_CREAT|O_TRUNC' || true)" "" "what was done to the base"
grep -q "\"$KILLED\", O_RDWR|O_EXCL" "$T/strace" || fail "the disk was not opened for hrvm alone"
assert_equal "$(base_identity "$T/base.img")" "$base" "the base"
