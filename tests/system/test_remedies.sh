#!/bin/bash
# What hrvm advises works as it is typed: the condition is made, the advice is run as it is printed, and the condition is
# gone. Nothing of it writes to a disk or image that a machine is made of.
. "$(dirname "$0")/lib.sh"

PATH=$(dirname "$HRVM"):$PATH # as the advice has it
BASE=$T/base.img
truncate -s 8M "$BASE"
sfdisk -q "$BASE" << 'TABLE'
label: gpt
start=2048, size=8192, type=linux
TABLE

# hint COMMAND...: runs what fails, and what it advises is in $ADVICE.
hint() {
  ! hrvm "$@" --json > "$T/out" 2> "$T/err" || fail "it was done: hrvm $*"
  ADVICE=$(jq -r .hint "$T/err")
}

# remedy CHECK: what doctor advises where this check finds something; nothing where it does not.
remedy() {
  hrvm doctor --json > "$T/out" || true
  ADVICE=$(jq -r --arg id "$1" '[.checks[] | select(.id == $id and .status != "ok" and .status != "skipped")][0].remedy // empty' \
    "$T/out")
}

# The command in a sentence: from its first word on, to what says what else could be done.
command_in() {
  printf '%s\n' "$1" | grep -oE "(^|[ (])($2) .*" | head -n 1 | sed -E 's/^[ (]//; s/   \(.*//; s/; [^d].*//; s/, or .*//'
}

# follow [FIRST-WORDS] [AND]: runs the command in $ADVICE, in this shell.
follow() {
  local command
  command=$(command_in "$ADVICE" "${1:-hrvm}") || fail "no command of ${1:-hrvm} is advised: $ADVICE"
  command+=${2:+ $2}
  printf '  $ %s\n' "$command"
  eval "$command" > "$T/followed" 2>&1 || fail "it was advised, and does not work: $command
$(cat "$T/followed")"
}

small() { qemu-img create -q -f qcow2 "$@"; }
set_bit() { printf "\\x$2" | dd of="$1" bs=1 seek=79 conv=notrunc status=none; } # of the incompatible features

claim "an image that was not closed, or is marked as corrupt, is imported as what it shows"
for bit in 01 02; do
  image=$T/"an image $bit.qcow2"
  small "$image" 1M
  qemu-io -c 'write -P 7 64k 64k' "$image" > /dev/null
  set_bit "$image" "$bit"
  before=$(base_identity "$image")
  hint import "$image" "m$bit"
  follow
  assert_equal "$(base_identity "$image")" "$before" "the image"
  expect_status 0 hrvm show "an-image-$bit.qcow2"
  hrvm image compare "$image" "$image.flat" --json > "$T/out" || fail "the copy shows something else"
done

claim "one whose backing format nobody names gets it in a copy"
small "$T/below.qcow2" 1M
small -b below.qcow2 -F qcow2 "$T/above.qcow2"
python3 - "$T/above.qcow2" << 'PYTHON'
# Takes the header extension away that names the format.
import sys
with open(sys.argv[1], 'r+b') as image:
    header = bytearray(image.read(512))
    at = header.index(bytes.fromhex('e2792aca'))
    header[at:at + 4] = bytes.fromhex('12345678')
    image.seek(0)
    image.write(header)
PYTHON
before=$(base_identity "$T/above.qcow2")
hint import "$T/above.qcow2"
follow cp
assert_equal "$(base_identity "$T/above.qcow2")" "$before" "the image"

claim "an encrypted one is converted with its passphrase"
printf secret > "$T/PASSPHRASE"
small --object secret,id=s,data=secret -o encrypt.format=aes,encrypt.key-secret=s "$T/a,b.qcow2" 1M
hint import "$T/a,b.qcow2"
(cd "$T" && follow qemu-img)
expect_status 0 hrvm import "$T/NEW.qcow2"

claim "what a table needs is told without a word that writes to the disk"
cp "$BASE" "$T/damaged.img"
dd if=/dev/zero of="$T/damaged.img" bs=1 seek=520 count=4 conv=notrunc status=none
hrvm discover "$T/damaged.img" --json > "$T/out" || true
assert_json "$T/out" '[.disks[].findings[] | select(.id == "gpt-backup-only")][0].remedy | contains("the machine'"'"'s layer")'
rm -r "$HRVM_STORE"

claim "what has an image open is named, and ended as advised"
cp "$BASE" "$T/held.img"
qemu-io -f raw -c 'sleep 600000' "$T/held.img" > "$T/qemu-io.log" &
holder=$!
is_held() { ! hrvm import "$T/held.img" --dry-run > /dev/null 2>&1; }
await 10 "qemu-io does not open the image" is_held
hint import "$T/held.img"
assert_contains "$(cat "$T/err")" "held by qemu-io (process $holder)" "the message"
follow kill
! wait "$holder" || fail "qemu-io was not ended"
expect_status 0 hrvm import "$T/held.img"
expect_status 0 hrvm boot held --detach --accel tcg --console none
hint import "$(active_layer held)"
assert_contains "$(cat "$T/err")" "held by machine held (process " "the message"
follow hrvm "--force"
expect_status 0 hrvm import "$(active_layer held)" lies-on-a-layer
rm -r "$HRVM_STORE"

claim "a layer that somebody's tool writes to is no machine that runs"
hrvm import "$BASE" idle > /dev/null
for verb in boot stop reset; do
  qemu-io -f qcow2 -c 'sleep 600000' "$(active_layer idle)" > "$T/qemu-io.log" &
  holder=$!
  is_held() { hrvm list --json | jq -e '.machines[0].state == "running"' > /dev/null; }
  await 10 "qemu-io does not open the layer" is_held
  hint "$verb" idle
  assert_contains "$(cat "$T/err")" "is open for writing in qemu-io (process $holder)" "the message"
  follow kill
  ! wait "$holder" || fail "qemu-io was not ended"
done
expect_status 0 hrvm reset idle
rm -r "$HRVM_STORE"

claim "garbage is removed"
expect_status 0 hrvm import "$BASE" web
touch "$HRVM_STORE/web/layers/00000000000000ee.qcow2"
remedy garbage
follow
remedy garbage
assert_equal "$ADVICE" "" "what doctor still advises"

claim "files that others may read are closed to them"
chmod 644 "$(active_layer web)"
remedy modes
follow chmod
remedy modes
assert_equal "$ADVICE" "" "what doctor still advises"

claim "a damaged definition has an older one; what that does not know is kept"
expect_status 0 hrvm set web cpus=1
echo '{' > "$HRVM_STORE/web/generations/2.json"
remedy definition
follow
expect_status 0 hrvm show web
expect_status 0 hrvm snapshot create web@x
echo '{' > "$(realpath "$HRVM_STORE/web/current")"
remedy definition
mkdir "$T/elsewhere"
ADVICE=${ADVICE//ELSEWHERE/"$T/elsewhere"}
follow mv
expect_status 0 hrvm show web
assert_equal "$(ls "$T/elsewhere" | wc -l)" 1 "layers that were kept"

claim "a layer that is gone is given up"
rm "$(active_layer web)"
hint boot web --print
follow hrvm --yes
expect_status 0 hrvm show web

claim "a name that is taken is freed"
hint import "$BASE" web
follow hrvm --yes
expect_status 0 hrvm import "$BASE" web

claim "a disk that changed is started over from"
printf changed | dd of="$BASE" bs=1 seek=100 conv=notrunc status=none
hint boot web --print
follow
expect_status 0 hrvm boot web --print

claim "a disk that grew gets a layer of its size, and what was before shows what it showed"
qemu-io -c 'write -P 5 1M 64k' "$(active_layer web)" > /dev/null
expect_status 0 hrvm snapshot create web@small
small=$(shown "$(active_layer web)")
truncate -s +1M "$BASE"
hint boot web --print
follow
expect_status 0 hrvm boot web --print
expect_status 0 hrvm show web --json
assert_json "$T/out" ".machines[0].disks[0].virtual_bytes == $((9 << 20))"
assert_equal "$(qemu-img info --output=json "$(active_layer web)" | jq '."virtual-size"')" $((9 << 20)) "the new layer"
expect_status 0 hrvm snapshot revert web@small --force
assert_equal "$(shown "$(active_layer web)")" "$small" "what the snapshot shows"
expect_status 0 hrvm undo web

claim "an image that lies elsewhere is found where it is"
mv "$BASE" "$T/moved image.img"
BASE="$T/moved image.img"
hint boot web --print
ADVICE=${ADVICE/PATH/"'$BASE'"}
follow
expect_status 0 hrvm boot web --print
expect_status 0 hrvm verify web
hint set web "base=$T/damaged.img"
follow
expect_status 0 hrvm verify web
expect_status 0 hrvm reset web

claim "settings that go together are set together"
expect_status 0 hrvm set web firmware=bios
hint set web secure-boot=on
follow
hint set web bus=ide
follow

claim "a store in memory is left for one that stays"
if [ "$(id -u)" = 0 ] && mkdir "$T/memory" && mount -t tmpfs none "$T/memory" 2> /dev/null; then
  at_end 'umount "$T/memory"'
  kept=$HRVM_STORE
  export HRVM_STORE=$T/memory/store
  remedy storage
  follow export
  assert_lacks "$HRVM_STORE" '//' "the store's name"
  remedy storage
  assert_equal "$ADVICE" "" "what doctor still advises"
  for machine in one two; do
    export HRVM_STORE=$T/memory/store
    [ "$machine" = one ] || expect_status 0 hrvm import "$BASE" one --allow-volatile
    expect_status 0 hrvm import "$BASE" "$machine" --allow-volatile
    names=$(hrvm list -q)
    remedy storage
    # To a store of this test's own rather than the one on the disk with most room.
    ADVICE=$(sed -E "s#'?/([^ ;]*/)?hrvm'?#'$T/moved here/$machine'#g" <<< "$ADVICE")
    follow 'hrvm|for'
    assert_equal "$(hrvm list -q)" "$names" "the machines in the store that was moved to"
    remedy storage
    assert_equal "$ADVICE" "" "what doctor still advises"
  done
  export HRVM_STORE=$kept
else
  printf 'SKIPPED: a tmpfs of one'"'"'s own needs root\n' >&2
fi
