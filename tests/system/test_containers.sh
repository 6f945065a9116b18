#!/bin/bash
# A disk in another hypervisor's image is read as it lies. What is not, and what is packed, archived or split, is never taken
# for a raw disk: it is named, and the line that is told makes a disk of it, from which the same system is imported.
. "$(dirname "$0")/lib.sh"

PATH=$(dirname "$HRVM"):$PATH # as the advice has it
mkdir "$T/an image"
cd "$T/an image"
DISK=$T/disk.img

# A GPT, and a Debian in ext4 without a kernel: enough to be known again.
make_disk() {
  mkdir -p "$T/tree/etc"
  printf 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n' > "$T/tree/etc/os-release"
  echo inside > "$T/tree/etc/hostname"
  truncate -s 32M "$DISK"
  printf 'label: gpt\nstart=2048, size=40960, type=linux\n' | sfdisk -q "$DISK"
  mkfs.ext4 -q -F -E offset=$((2048 * 512)) -d "$T/tree" "$DISK" 20M
}
make_disk

# told FILE WORDS: discover names it as an error and looks at nothing in it, and import refuses it. Its line is in $LINE.
told() {
  local file=$PWD/$1
  expect_status 3 hrvm discover "$file" --json
  assert_json "$T/out" '.disks[0] | .importable == false and .partitions == [] and .systems == [] and .advice == null'
  assert_json "$T/out" '.disks[0].findings | length == 1 and .[0].id == "foreign-container" and .[0].severity == "error"'
  assert_contains "$(jq -r '.disks[0].findings[0].message' "$T/out")" "$2" "the finding"
  LINE=$(jq -r '.disks[0].findings[0].remedy' "$T/out")
  expect_status 4 hrvm import "$file"
  assert_one_message
  assert_contains "$ERR" "$file is " "the message"
  assert_contains "$ERR" "$2" "the message"
  assert_contains "$ERR" "hint: $LINE" "the hint"
  [ ! -e "$HRVM_STORE" ] || assert_equal "$(ls "$HRVM_STORE")" "" "the store"
}

# follow: runs the command in $LINE, which comes behind its first colon.
follow() {
  printf '  $ %s\n' "${LINE#*: }"
  eval "${LINE#*: }" > "$T/followed" 2>&1 || fail "it was advised, and does not work: $LINE
$(cat "$T/followed")"
}

# is_imported: the machine shows the disk that it all began with.
is_imported() {
  local base format
  base=$(jq -r '.base.path' "$HRVM_STORE/inside/current") format=$(jq -r '.base.format' "$HRVM_STORE/inside/current")
  qemu-img compare -q -f raw -F "$format" "$DISK" "$base" || fail "$base shows another disk"
  rm -rf "$HRVM_STORE"
}

# becomes_a_machine FILE WORDS
becomes_a_machine() {
  local before
  before=$(base_identity "$1")
  told "$1" "$2"
  follow
  is_imported
  assert_equal "$(base_identity "$1")" "$before" "$1"
}

claim "the disk itself is imported as it is"
expect_status 0 hrvm import "$DISK"
is_imported

# is_read FILE FORMAT: the disk in it is imported, converted and compared, and the file stays as it is.
is_read() {
  local before file=$PWD/$1
  before=$(base_identity "$1")
  expect_status 0 hrvm discover "$file" --json
  assert_json "$T/out" ".disks[0] | .importable and .size_bytes == $(stat -c %s "$DISK")"
  assert_json "$T/out" '.disks[0].systems[0].hostname == "inside"'
  assert_json "$T/out" '[.disks[0].findings[].id] | index("foreign-container") == null'
  expect_status 0 hrvm image compare "$DISK" "$file"
  expect_status 0 hrvm image info "$file" --json
  assert_json "$T/out" ".format == \"$2\" and .virtual_bytes == $(stat -c %s "$DISK")"
  expect_status 0 hrvm image convert --format raw "$file" "$T/converted"
  cmp "$DISK" "$T/converted" || fail "image convert of $1 shows another disk"
  rm "$T/converted"
  expect_status 0 hrvm import "$file"
  expect_status 0 hrvm verify inside --full --record
  # What QEMU sees through the layer that we made.
  qemu-img compare -q -f raw -F qcow2 "$DISK" "$HRVM_STORE"/inside/layers/*.qcow2 || fail "the layer on $1 shows another disk"
  expect_status 0 hrvm export inside "$T/exported" --format raw
  cmp "$DISK" "$T/exported" || fail "export of a machine on $1 shows another disk"
  rm "$T/exported"
  expect_status 0 hrvm boot inside --print
  assert_contains "$OUT" "\"driver\":\"$2\"" "the command"
  is_imported
  assert_equal "$(base_identity "$1")" "$before" "$1"
}

claim "the images of other hypervisors are read as they lie"
while read -r format name options; do
  qemu-img convert -f raw -O "$format" ${options:+-o "$options"} "$DISK" "$name"
  is_read "$name" "$format"
done << 'FORMATS'
vdi c.vdi
vdi static.vdi static=on
vmdk c.vmdk
vmdk stream.vmdk subformat=streamOptimized
vpc dynamic.vhd force_size
vpc fixed.vhd subformat=fixed,force_size
vhdx c.vhdx
vhdx fixed.vhdx subformat=fixed
FORMATS

claim "what changed after the import is drift, as of any base"
expect_status 0 hrvm import "$PWD/c.vdi"
cp c.vdi kept.vdi
qemu-io -f vdi -c 'write -P 3 1025k 1k' c.vdi > "$T/qemu-io.log"
expect_status 3 hrvm verify inside
expect_status 4 hrvm boot inside --print
mv kept.vdi c.vdi
rm -rf "$HRVM_STORE"

# with_log_id FILE ID: as if the log with that id were in use; of "old" the one that was written back last.
with_log_id() {
  python3 - "$@" << 'PYTHON'
import struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
with open(sys.argv[1], 'r+b') as image:
    for at in (64 << 10, 128 << 10):
        image.seek(at)
        header = bytearray(image.read(4096))
        length, offset = struct.unpack_from('<IQ', header, 68)
        image.seek(offset)
        log = image.read(length)
        entry = next(i for i in range(0, length, 4096) if log[i:i + 4] == b'loge')
        header[48:64] = log[entry + 32:entry + 48] if sys.argv[2] == 'old' else bytes(range(1, 17))
        header[4:8] = bytes(4)
        header[4:8] = struct.pack('<I', crc32c(header))
        image.seek(at)
        image.write(header)
PYTHON
}

claim "a VHDX that was not closed is named, and its log is written into a copy"
cp c.vhdx open.vhdx
with_log_id open.vhdx old
told open.vhdx "a VHDX disk image (Hyper-V), and is not read as it lies"
follow # what it writes back is an older state of the table: the disk is another
assert_equal "$(jq -r .base.path "$HRVM_STORE"/*/current)" "$PWD/open.vhdx.vhdx" "what was imported"
rm -rf "$HRVM_STORE"
cp c.vhdx empty-log.vhdx
with_log_id empty-log.vhdx new
is_read empty-log.vhdx vhdx

claim "an image that is cut short is not read as a disk"
head -c 1M c.vdi > cut.vdi
expect_status 1 hrvm import "$PWD/cut.vdi"
assert_contains "$ERR" "beyond the end of the file" "the message"
head -c 512 c.vdi > cut.vdi
told cut.vdi "a VDI disk image"

claim "each container that is not read is converted"
while read -r format name options words; do
  qemu-img convert -f raw -O "$format" ${options:+-o "${options/-/}"} "$DISK" "$name" 2> /dev/null \
    || qemu-img convert -f raw -O "$format" "$DISK" "$name"
  becomes_a_machine "$name" "$words"
done << 'FORMATS'
vmdk split.vmdk subformat=twoGbMaxExtentSparse a VMDK descriptor
qed c.qed - a QED disk image
parallels c.hds - a Parallels disk image
qcow c.qcow - a qcow disk image of version 1
FORMATS

claim "a dynamic VHD whose maker counts cylinders is converted whole"
cp dynamic.vhd virtualbox.vhd
python3 - << 'PYTHON'
import struct
with open('virtualbox.vhd', 'r+b') as image:
    for at in (0, -512):
        image.seek(at, 0 if at >= 0 else 2)
        footer = bytearray(image.read(512))
        footer[28:32] = b'vbox'
        footer[56:60] = struct.pack('>HBB', 10, 4, 17)
        footer[64:68] = bytes(4)
        footer[64:68] = struct.pack('>I', ~sum(footer) & 0xffffffff)
        image.seek(at, 0 if at >= 0 else 2)
        image.write(footer)
PYTHON
becomes_a_machine virtualbox.vhd "a dynamic VHD disk image"

claim "a part of a split VMDK leads to its descriptor"
becomes_a_machine split-s001.vmdk "a part of the VMDK disk image $PWD/split.vmdk"
qemu-img convert -f raw -O vmdk -o subformat=twoGbMaxExtentFlat "$DISK" flat2.vmdk
head -c 24M "$DISK" > two-f001.vmdk
tail -c 8M "$DISK" > two-f002.vmdk
sed -e 's/^RW .*"/RW 49152 FLAT "two-f001.vmdk" 0\nRW 16384 FLAT "two-f002.vmdk"/' flat2.vmdk > two.vmdk
becomes_a_machine two-f001.vmdk "a part of the VMDK disk image $PWD/two.vmdk"
becomes_a_machine two.vmdk "a VMDK descriptor"

claim "a flat VMDK's descriptor stands for the raw disk beside it, which says whose it is"
qemu-img convert -f raw -O vmdk -o subformat=monolithicFlat "$DISK" mono.vmdk
for file in mono.vmdk mono-flat.vmdk; do
  expect_status 0 hrvm discover "$PWD/$file" --json
  assert_json "$T/out" ".disks[0] | .importable and .path == \"$PWD/mono-flat.vmdk\""
  assert_json "$T/out" '[.disks[0].findings[] | select(.id == "vmdk-flat" and .severity == "note")] | length == 1'
  expect_status 0 hrvm import "$PWD/$file"
  is_imported
done
truncate -s -512 mono-flat.vmdk
told mono.vmdk "a VMDK descriptor"

claim "a cloop image is converted"
python3 - "$DISK" << 'PYTHON'
import struct, sys, zlib
block = 1 << 16
disk = open(sys.argv[1], 'rb').read()
packed = [zlib.compress(disk[at:at + block]) for at in range(0, len(disk), block)]
head = b'#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n'.ljust(128, b'\0')
at, offsets = len(head) + 8 + 8 * (len(packed) + 1), []
for piece in packed + [b'']:
    offsets.append(at)
    at += len(piece)
with open('c.cloop', 'wb') as image:
    image.write(head + struct.pack('>II', block, len(packed)) + struct.pack(f'>{len(offsets)}Q', *offsets) + b''.join(packed))
PYTHON
becomes_a_machine c.cloop "a cloop disk image"

claim "a packed disk is unpacked, whatever its name ends in"
for packer in gzip xz zstd bzip2 lz4; do
  $packer -c < "$DISK" > "packed-$packer"
  becomes_a_machine "packed-$packer" "a file packed by $packer"
done

claim "what was packed in layers comes out layer by layer"
gzip -c < c.vdi > c.vdi.gz
told c.vdi.gz "a file packed by gzip"
follow
is_imported

claim "an appliance is unpacked, and the disk in it converted"
mkdir ova
cp stream.vmdk ova/box-disk1.vmdk
echo '<Envelope/>' > ova/box.ovf
tar -C ova --format=ustar -cf box.ova box.ovf box-disk1.vmdk
becomes_a_machine box.ova "an OVA appliance"

claim "an archive is unpacked, and what is in it is looked at"
tar -C "$T" -cf disk.tar disk.img
told disk.tar "a tar archive"
follow
expect_status 0 hrvm import disk.tar.d/disk.img
is_imported
python3 -c 'import sys, zipfile; zipfile.ZipFile("disk.zip", "w").write(sys.argv[1], "disk.img")' "$DISK"
told disk.zip "a zip archive"
assert_contains "$LINE" "unzip -d '$PWD/disk.zip.d' '$PWD/disk.zip'" "the line"

claim "the parts of a split image are put together"
split -b 12M -d -a 3 --numeric-suffixes=1 "$DISK" parts.
becomes_a_machine parts.001 "part 1 of an image that is split"
rm parts.raw
becomes_a_machine parts.003 "part 3 of an image that is split"

claim "what can be a disk is none of these: LUKS, an ISO, kept versions of an image"
truncate -s 8M luks.img
printf 'LUKS\xba\xbe\0\2' | dd of=luks.img conv=notrunc status=none
expect_status 0 hrvm discover "$PWD/luks.img"
cp "$DISK" kept.001
cp "$DISK" kept.002
expect_status 0 hrvm import "$PWD/kept.001"
is_imported

claim "another disk of a machine is looked at as well"
expect_status 0 hrvm import "$DISK" web
expect_status 4 hrvm import "$DISK" two --disk "$PWD/c.qed"
assert_contains "$ERR" "a QED disk image" "the message"
expect_status 4 hrvm set web "disk=+$PWD/split.vmdk"
assert_contains "$ERR" "a VMDK descriptor" "the message"
expect_status 0 hrvm set web "disk=+$PWD/c.vmdk"
expect_status 0 hrvm boot web --print
assert_contains "$OUT" '"driver":"vmdk"' "the command"

claim "image convert makes no image of a container, unless its bytes are asked for"
expect_status 4 hrvm image convert "$PWD/c.qed" "$T/of-qed.qcow2"
assert_contains "$ERR" "$PWD/c.qed is a QED disk image" "the message"
[ ! -e "$T/of-qed.qcow2" ] || fail "an image was written"
expect_status 0 hrvm image convert --source-format raw "$PWD/c.qed" "$T/of-qed.qcow2"
qemu-img compare -q -f raw -F qcow2 c.qed "$T/of-qed.qcow2" || fail "the image shows other bytes"

claim "a file that is no disk at all"
no_disk() { # FILE WORDS
  expect_status 3 hrvm discover "$1" --json
  assert_json "$T/out" '.disks[0] | .importable == false and .advice == null and (.findings | length == 1) and .findings[0].id == "not-a-disk"'
  expect_status 4 hrvm import "$1" --json
  assert_json "$T/err" '.kind == "refused"'
  assert_contains "$(jq -r .message "$T/err")" "$1: it is $2, not a disk" "the message"
}
printf '\x89PNG\r\n\x1a\n%02000d' 7 > photo.img
no_disk "$PWD/photo.img" "a PNG picture"
no_disk /etc/passwd "a text"
printf 'a line of a text %495d' 7 > text
assert_equal "$(stat -c %s text)" 512 "the size of the text"
no_disk "$PWD/text" "a text"
no_disk "$(readlink -f "$(command -v jq)")" "an ELF program or library"

claim "a raw image of no whole number of sectors is refused, and its filled-up copy imported"
rm -rf "$HRVM_STORE"
head -c -100 "$DISK" > cut.img
expect_status 3 hrvm discover "$PWD/cut.img" --json
assert_json "$T/out" '.disks[0].importable == false and ([.disks[0].findings[].id] | index("image-odd-size") != null)'
expect_status 4 hrvm import "$PWD/cut.img"
assert_one_message
LINE=$(sed -n 's/^hint: .*\(: cp \)/\1/p' "$T/err")
follow
is_imported
