#!/bin/bash
# What discover says of the demo disk in its variants; sfdisk and blkid are asked the same.
. "$(dirname "$0")/lib.sh"

discovered() { # IMAGE: the JSON is in $T/disk.json
  local base
  base=$(base_identity "$1")
  expect_status 0 hrvm discover "$1" --json
  assert_equal "$(base_identity "$1")" "$base" "the disk"
  assert_json "$T/out" '.schema == "hrvm.discover/1" and (.disks | length) == 1'
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }

claim "the demo disk: a Debian that boots by both firmwares"
demo_disk "$T/demo.img"
discovered "$T/demo.img"
says '.kind == "image" and .table == "gpt" and .logical_sector_bytes == 512 and .size_bytes == 268435456'
says '.firmware == ["bios", "uefi"] and .importable == true and .in_use == []'
says '[.partitions[] | .role] == ["bios-boot", "esp", "root"]'
says '.systems | length == 1'
says '.systems[0] | .id == "debian" and .version == "12" and .family == "linux"'
says '.systems[0] | .hostname == "demo" and .root == "p3"'
says '.systems[0].kernels | length == 1 and (.[0] | test("^6[.].*-cloud-amd64$"))'
says '[.findings[] | select(.severity == "error")] == []'

claim "its partitions are what sfdisk and blkid say"
sfdisk -J "$T/demo.img" > "$T/sfdisk.json"
assert_equal \
  "$(jq -r '.partitions[] | [.start_bytes, .size_bytes, .type, .partuuid] | @tsv' "$T/disk.json")" \
  "$(jq -r '.partitiontable.partitions[] | [.start * 512, .size * 512, (.type, .uuid | ascii_downcase)] | @tsv' \
    "$T/sfdisk.json")" "the partitions"
assert_equal "$(jq -r .table_uuid "$T/disk.json")" \
  "$(jq -r '.partitiontable.id | ascii_downcase' "$T/sfdisk.json")" "the table's id"
for number in 2 3; do
  start=$(jq -r ".partitions[$number - 1].start_bytes" "$T/disk.json")
  size=$(jq -r ".partitions[$number - 1].size_bytes" "$T/disk.json")
  for pair in filesystem:TYPE label:LABEL uuid:UUID; do
    assert_equal "$(jq -r ".partitions[$number - 1].${pair%:*}" "$T/disk.json")" \
      "$(blkid -p -O "$start" -S "$size" -s "${pair#*:}" -o value "$T/demo.img")" "$pair of partition $number"
  done
done

claim "the import line that it prints can be typed"
expect_status 0 hrvm discover "$T/demo.img"
line=$(grep -o 'hrvm import [^ ]*demo.img[^ ]*.*' "$T/out" | head -n 1)
[ -n "$line" ] || fail "there is no import line: $OUT"
expect_status 0 eval "$line"

claim "one with loaders only under a vendor's name: both, and BIOS is advised, which needs no variables"
demo_disk "$T/vendor.img" --vendor-only
discovered "$T/vendor.img"
says '.firmware == ["bios", "uefi"] and .advice.firmware == "bios"'
claim "one without boot code"
demo_disk "$T/uefi.img" --uefi-only
discovered "$T/uefi.img"
says '.firmware == ["uefi"] and .advice.firmware == "uefi"'
claim "one without loaders in its ESP"
demo_disk "$T/bios.img" --bios-only
discovered "$T/bios.img"
says '.firmware == ["bios"] and .advice.firmware == "bios"'

claim "4096-byte sectors are told by the table's place, and need UEFI"
demo_disk "$T/4kn.img" --4kn
discovered "$T/4kn.img"
says '.logical_sector_bytes == 4096 and .firmware == ["uefi"] and .advice.firmware == "uefi"'
says '[.partitions[] | .start_bytes] == [1048576, 2097152, 18874368] and .systems[0].hostname == "demo"'

claim "Proxmox VE is known by its package, not by its os-release"
demo_disk "$T/pve.img" --proxmox --hostname pve1
discovered "$T/pve.img"
says '.systems[0] | .id == "proxmox" and .version == "8.1.4" and .hostname == "pve1"'

claim "a damaged primary table is an error finding and exit status 3; the backup is read"
cp "$T/demo.img" "$T/damaged.img"
dd if=/dev/zero of="$T/damaged.img" bs=512 seek=1 count=33 conv=notrunc status=none
expect_status 3 hrvm discover "$T/damaged.img" --json
assert_json "$T/out" '.disks[0] | (.partitions | length) == 3 and any(.findings[]; .severity == "error")'

claim "of several sources the others are told when one cannot be read"
expect_status 1 hrvm discover "$T/demo.img" /no/such/disk "$T/pve.img" --json
assert_json "$T/out" '[.disks[].systems[0].hostname] == ["demo", "pve1"]'

claim "HRVM_DEBUG tells what is done, also in the confined child, and only of what is named"
HRVM_DEBUG=block,fs expect_status 0 hrvm discover "$T/demo.img"
grep -qF "hrvm[block] opens $T/demo.img" "$T/err" || fail "the disk's opening is not told: $ERR"
grep -qF "hrvm[fs] reads ext4 on $T/demo.img (partition 3), its journal clean" "$T/err" || fail "no reader is told: $ERR"
! grep -q '^hrvm\[cli\]' "$T/err" || fail "more is told than was asked for: $ERR"
expect_status 0 hrvm discover "$T/demo.img"
! grep -q '^hrvm\[' "$T/err" || fail "nothing was asked for: $ERR"
