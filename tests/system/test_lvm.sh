#!/bin/bash
# What discover says of a disk of logical volumes that LVM's own tools have made, and what follows from it.
. "$(dirname "$0")/lib.sh"
need_root

disk=$T/lvm.img
"$SUPPORT/make-lvm-disk.sh" "$disk"
before=$(base_identity "$disk")

discovered() { # IMAGE [STATUS]: the JSON is in $T/disk.json
  expect_status "${2:-0}" hrvm discover "$1" --json
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }

claim "the volumes that LVM lists, with the sizes that it gives"
discovered "$disk"
says '[.partitions[] | .role] == ["bios-boot", "lvm", "lvm"]'
loops=()
for number in 2 3; do
  loops+=("$(losetup --find --show --read-only --offset "$(jq ".partitions[$number - 1].start_bytes" "$T/disk.json")" \
    --sizelimit "$(jq ".partitions[$number - 1].size_bytes" "$T/disk.json")" "$disk")")
  at_end "losetup -d ${loops[-1]}"
done
filter="[\"a|^${loops[0]}\$|\",\"a|^${loops[1]}\$|\",\"r|.*|\"]"
DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1 lvm lvs --readonly --noheadings --units b --nosuffix --separator ' ' \
  -o vg_name,lv_name,lv_size pve --config "devices { filter=$filter use_devicesfile=0 } global { activation=0 }" \
  2> "$T/lvs.err" | awk '{ print $1 "/" $2, $3 }' | grep -v before | sort > "$T/lvs" || fail "lvs: $(cat "$T/lvs.err")"
assert_equal "$(jq -r '.volumes[] | "\(.path) \(.size_bytes)"' "$T/disk.json" | grep -v before | sort)" "$(cat "$T/lvs")" \
  "the volumes"

claim "what lies in them is what blkid says of the files that were put there"
for volume in root swap; do
  for pair in filesystem:TYPE label:LABEL uuid:UUID; do
    assert_equal "$(jq -r ".volumes[] | select(.path == \"pve/$volume\") | .${pair%:*} // empty" "$T/disk.json")" \
      "$(blkid -p -s "${pair#*:}" -o value "$disk.$volume" || true)" "$pair of $volume"
  done
done

claim "the system on the root volume, and the guest's on a thin volume"
says '.systems[0] | .id == "proxmox" and .version == "8.1.4" and .root == "pve/root" and .hostname == "pve1"'
says '.systems[0] | .kernels == ["6.5.11-8-pve"] and .inside == null'
says '.systems[1] | .id == "alpine" and .root == "p1" and .hostname == "web" and .inside == "pve/vm-100-disk-0"'
says '.systems | length == 2'
says '[.findings[].id] == ["no-loader"]' # the disk is made of volumes alone

claim "the machine is named for the disk's own system, and nothing was written"
expect_status 0 hrvm import "$disk"
expect_status 0 hrvm show pve1 --json
assert_json "$T/out" '.machines[0].name == "pve1"'
assert_equal "$(base_identity "$disk")" "$before" "the disk"

claim "a file written in a volume is drift of that volume"
debugfs -w -R "mkdir /drift" "$disk.root" 2> /dev/null
mib_of() { echo $(($(jq ".partitions[$1 - 1].start_bytes" "$T/disk.json") / 1048576)); } # extent 0 lies a MiB behind it
dd if="$disk.root" of="$disk" bs=1M count=32 seek=$(($(mib_of 3) + 1 + 30)) conv=notrunc status=none
dd if="$disk.root" of="$disk" bs=1M skip=32 count=32 seek=$(($(mib_of 2) + 1 + 100)) conv=notrunc status=none
expect_status 3 hrvm verify pve1 --json
assert_json "$T/out" '[.evidence[] | select(.same | not) | .what] | any(startswith("pve/root (ext4)"))'
expect_status 4 hrvm boot pve1 --print
assert_contains "$ERR" "pve/root" "the message"

start=$(jq '.partitions[2].start_bytes' "$T/disk.json") length=$(jq '.partitions[2].size_bytes' "$T/disk.json")
dd if="$disk" of="$T/rest.img" bs=1M iflag=skip_bytes,count_bytes skip="$start" count="$length" conv=sparse status=none
truncate -s "$length" "$T/rest.img"

claim "without the disk's second physical volume, what lies on it is named as missing"
head -c $((160 * 1048576 + 4 * 1048576)) "$disk" > "$T/half.img"
discovered "$T/half.img" 3
says '[.findings[].id] | contains(["lvm-member-missing"])'
says '[.systems[] | .root] == ["p1"]'

claim "with the second one on another disk, both are named, and what lies on them together is told with the first"
expect_status 3 hrvm discover "$T/half.img" "$T/rest.img" --json
jq '.disks[0]' "$T/out" > "$T/disk.json"
says '[.systems[] | .root] == ["pve/root", "p1"]'
says '[.findings[] | select(.id == "disk-set") | .message] | length == 1 and (.[0] | contains("rest.img"))'
says '[.findings[] | select(.id == "lvm-member-missing")] == []'
jq '.disks[1]' "$T/out" > "$T/disk.json"
says '.systems == []'
says '[.findings[] | select(.id == "disk-set")] | length == 1'
