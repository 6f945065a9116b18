#!/bin/bash
# Storage that cannot take a machine, and rights that are missing: nothing is half made.
. "$(dirname "$0")/lib.sh"
need_root
in_private_host

truncate -s 8M "$T/disk.img"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$T/disk.img"

claim "a disk that this user may not read"
hrvm_for_others
chmod 600 "$T/disk.img"
mkdir "$T/nobody"
chown 65534:65534 "$T/nobody"
as_nobody() {
  setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$T/nobody" HRVM_STORE="$T/nobody/store" "$@"
}
expect_status 1 as_nobody "$OTHERS_HRVM" import "$T/disk.img" --json
assert_equal "$(jq -r .kind "$T/err")" permission "kind of error"
assert_contains "$(jq -r .message "$T/err")" "$T/disk.img" "the message"
expect_status 1 as_nobody "$OTHERS_HRVM" import "$T/disk.img"
assert_one_message
chmod 644 "$T/disk.img"

claim "a user who is not root has a store of his own"
expect_status 0 as_nobody "$OTHERS_HRVM" import "$T/disk.img" mine
expect_status 0 as_nobody "$OTHERS_HRVM" boot mine --print
for change in 'create mine@one' 'create mine@two' 'delete mine@one --yes' 'delete mine@two --yes'; do
  expect_status 0 as_nobody "$OTHERS_HRVM" snapshot $change
done
assert_equal "$(find "$T/nobody/store" ! -type l ! -uid 65534)" "" "files that are somebody else's"

claim "a device that lies on a file which this user may not look at keeps no other from being told"
mkdir -m 700 "$T/closed"
truncate -s 4M "$T/closed/x.img"
if loop=$(losetup --find --show "$T/closed/x.img"); then
  at_end "losetup --detach $loop"
  expect_status 1 as_nobody "$OTHERS_HRVM" discover --all --json
  assert_json "$T/out" ".disks[] | select(.path == \"$loop\")"
fi

claim "a store that is read-only"
mkdir "$T/ro"
mount --bind "$T/ro" "$T/ro"
mount -o remount,bind,ro "$T/ro"
expect_status 1 hrvm --store "$T/ro/store" import "$T/disk.img"
assert_one_message
expect_status 1 hrvm --store "$T/ro/store" import "$T/disk.img" --json
assert_equal "$(jq -r .kind "$T/err")" permission "kind of error"
expect_status 1 hrvm --store "$T/ro/store" list
assert_contains "$ERR" "there is no store at $T/ro/store" "the message"
umount "$T/ro"

claim "a machine in a store that is read-only boots in a throw-away layer elsewhere, and in no other way"
expect_status 0 hrvm --store "$T/ro/store" import "$T/disk.img" medium
mount --bind "$T/ro" "$T/ro"
mount -o remount,bind,ro "$T/ro"
for how in --print --ephemeral '--ephemeral --json'; do
  expect_status 1 hrvm --store "$T/ro/store" boot medium --accel tcg $how
  assert_contains "$ERR" "is mounted read-only" "$how"
  assert_contains "$ERR" "--ephemeral --scratch" "$how"
done
assert_equal "$(jq -r .kind "$T/err")" permission "kind of error"
hrvm --store "$T/ro/store" doctor --json > "$T/out" || true
assert_json "$T/out" '.checks[] | select(.id == "storage") | .status == "warning"'
expect_status 2 hrvm --store "$T/ro/store" boot medium --scratch "$T/scratch"
expect_status 1 hrvm --store "$T/ro/store" boot medium --ephemeral --scratch "$T/scratch"
assert_contains "$ERR" "is no folder" "a scratch folder that is not there"
mkdir "$T/scratch"
boot_on_scratch() {
  expect_status 0 hrvm --store "$T/ro/store" boot medium --ephemeral --scratch "$T/scratch" --accel tcg --console none --detach
  layers_on_scratch=$(find "$T/scratch" -name layer.qcow2)
  assert_equal "$(wc -l <<< "$layers_on_scratch")" 1 "layers in the scratch folder"
}
boot_on_scratch
first=$layers_on_scratch
assert_equal "$(qemu-img info -U --output=json "$first" | jq -r '."backing-filename"')" \
  "$(ls "$T"/ro/store/medium/layers/*)" "what the throw-away layer lies on"
expect_status 0 hrvm --store "$T/ro/store" stop medium --force
expect_status 1 hrvm --store "$T/ro/store" stop medium --force
boot_on_scratch
[ "$first" != "$layers_on_scratch" ] || fail "what the first boot left is used again"
expect_status 0 hrvm --store "$T/ro/store" stop medium --force
expect_status 1 hrvm --store "$T/ro/store" boot medium --ephemeral --scratch "$T/scratch" --accel tcg --console none --timeout 2
assert_equal "$(ls -A "$T/scratch")" "" "the scratch folder when the boot is over"
umount "$T/ro"

claim "a store in memory is refused, and what would do is named"
mkdir "$T/tmpfs"
mount -t tmpfs tmpfs "$T/tmpfs"
expect_status 4 hrvm --store "$T/tmpfs/store" import "$T/disk.img"
assert_one_message
assert_contains "$ERR" tmpfs "the message"
assert_contains "$ERR" --allow-volatile "the message"
assert_equal "$(ls -A "$T/tmpfs")" "" "the store"
expect_status 0 hrvm --store "$T/tmpfs/store" import "$T/disk.img" --allow-volatile

claim "also when memory lies under an overlay"
mkdir "$T/tmpfs/upper" "$T/tmpfs/work" "$T/lower" "$T/overlay"
if mount -t overlay overlay -o "lowerdir=$T/lower,upperdir=$T/tmpfs/upper,workdir=$T/tmpfs/work" "$T/overlay"; then
  expect_status 4 hrvm --store "$T/overlay/store" import "$T/disk.img"
  assert_contains "$ERR" --allow-volatile "the message"
  umount "$T/overlay"
fi
umount "$T/tmpfs"

claim "a store that is nearly full is refused, one that is full leaves nothing behind"
truncate -s 16M "$T/small.ext4"
mkfs.ext4 -q -F -m 0 "$T/small.ext4"
mkdir "$T/small"
mount -o loop "$T/small.ext4" "$T/small" || skip "no loop devices here"
at_end "umount '$T/small'"
export HRVM_STORE=$T/small/store
expect_status 0 hrvm import "$T/disk.img" first --allow-low-space
qemu-io -c 'write -P 7 0 64k' "$(active_layer first)" > /dev/null
fill() { dd if=/dev/zero of="$T/small/ballast" bs=4k status=none 2> /dev/null || sync -f "$T/small"; }
contents() {
  (cd "$HRVM_STORE" && find . -printf '%p %l\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum)
}
fill
before=$(contents)
expect_status 4 hrvm import "$T/disk.img" second
assert_contains "$ERR" --allow-low-space "the message"
for change in 'import DISK second --allow-low-space' 'reset first' 'snapshot create first@one'; do
  expect_status 1 hrvm ${change/DISK/"$T/disk.img"}
  assert_one_message
  assert_contains "$ERR" "o space left" "the message of: $change"
  expect_status 0 hrvm list --plain
  assert_equal "$(cut -f1 <<< "$OUT")" first "machines after: $change"
  [ "$(contents)" = "$before" ] || assert_equal "$(contents)" "$before" "the store after: $change"
done
rm "$T/small/ballast"
expect_status 0 hrvm reset first

claim "a store on the disk that is imported is refused, whatever is allowed"
loop=$(losetup --noheadings --output NAME --associated "$T/small.ext4" | head -n 1)
expect_status 4 hrvm import "$loop" --allow-in-use --allow-volatile --allow-low-space
assert_one_message

claim "a host without UEFI firmware says which package to install"
unset HRVM_STORE
export HRVM_STORE=$T/store
mount -t tmpfs tmpfs /usr/share/OVMF
mount -t tmpfs tmpfs /usr/share/qemu
expect_status 0 hrvm import "$T/disk.img" bare
expect_status 1 hrvm boot bare --firmware uefi --print
assert_one_message
assert_contains "$ERR" ovmf "the message"
