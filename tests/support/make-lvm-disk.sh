#!/bin/bash
# make-lvm-disk.sh OUT.img: a disk as Proxmox VE leaves it on LVM, with volumes of every kind that hrvm reads, made by LVM's own
# tools. Needs root for a loop device; no device-mapper: the metadata are restored from a text, and what the volumes hold is
# put where the text says that it lies. Beside OUT.img, OUT.img.VOLUME is what each volume must show.
#
#   p1 BIOS boot, p2 and p3 physical volumes of the group pve:
#   swap    linear            root    linear in two pieces, the first on p3: ext4 with a Proxmox VE
#   stripes two stripes       mirror  raid1 of two legs
#   data    thin pool, with vm-100-disk-0 (an MBR and an ext4 with Alpine) and vm-101-disk-0 (empty)
#   before  snapshot of root
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin LVM_SUPPRESS_FD_WARNINGS=1 DM_DISABLE_UDEV=1
umask 022

die() { printf 'make-lvm-disk.sh: %s\n' "$*" >&2; exit 1; }
[ $# = 1 ] || die "usage: make-lvm-disk.sh OUT.img"
out=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/lvm-disk.XXXXXX")
loops=()
finish() {
  local loop
  for loop in "${loops[@]}"; do losetup -d "$loop"; done
  rm -rf "$work"
}
trap finish EXIT

MIB=1048576
P2=$((4 * MIB)) P2_SIZE=$((160 * MIB)) P3=$((164 * MIB)) P3_SIZE=$((64 * MIB))
PV0_UUID=hrvmP0-0000-0000-0000-0000-0000-000000 PV1_UUID=hrvmP1-0000-0000-0000-0000-0000-000000

truncate -s 230M "$out"
sfdisk -q "$out" << EOF
label: gpt
label-id: d3600000-0000-4000-8000-000000000000
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
start=$((P2 / 512)), size=$((P2_SIZE / 512)), type=E6D6D379-F507-44C2-A23C-238F2A3DF928
start=$((P3 / 512)), size=$((P3_SIZE / 512)), type=E6D6D379-F507-44C2-A23C-238F2A3DF928
EOF

# --- the group's metadata, in extents of 1 MiB ----------------------------------------------------------------------------

lv() { # NAME STATUS SEGMENT...: a logical volume
  local name=$1 status=$2 segment number=0
  shift 2
  printf '%s {\nid = "hrvm%s"\nstatus = [%s]\nsegment_count = %d\n' "$name" "$(uuid_of "$name")" "$status" $#
  for segment in "$@"; do printf 'segment%d {\n%s\n}\n' $((++number)) "$segment"; done
  printf '}\n'
}
uuid_of() { printf '%s' "$1" | md5sum | sed -E 's/^(..)(....)(....)(....)(....)(....)(......).*/\1-\2-\3-\4-\5-\6-\7/'; }
linear() { # START COUNT PV EXTENT
  printf 'start_extent = %d\nextent_count = %d\ntype = "striped"\nstripe_count = 1\nstripes = ["%s", %d]' "$@"
}
VISIBLE='"READ", "WRITE", "VISIBLE"' HIDDEN='"READ", "WRITE"'

{
  printf 'contents = "Text Format Volume Group"\nversion = 1\n\npve {\nid = "hrvmVG-0000-0000-0000-0000-0000-000000"\n'
  printf 'seqno = 7\nformat = "lvm2"\nstatus = ["RESIZEABLE", "READ", "WRITE"]\nextent_size = 2048\nmax_lv = 0\nmax_pv = 0\n'
  printf 'physical_volumes {\n'
  printf 'pv%d {\nid = "%s"\ndevice = "none"\nstatus = ["ALLOCATABLE"]\ndev_size = %d\npe_start = 2048\npe_count = %d\n}\n' \
    0 $PV0_UUID $((P2_SIZE / 512)) 158 1 $PV1_UUID $((P3_SIZE / 512)) 62
  printf '}\nlogical_volumes {\n'
  lv swap "$VISIBLE" "$(linear 0 8 pv0 0)"
  lv root "$VISIBLE" "$(linear 0 32 pv1 30)" "$(linear 32 32 pv0 100)"
  lv stripes "$VISIBLE" $'start_extent = 0\nextent_count = 8\ntype = "striped"\nstripe_count = 2\nstripe_size = 128
stripes = ["pv0", 10, "pv1", 0]'
  lv mirror "$VISIBLE" $'start_extent = 0\nextent_count = 8\ntype = "raid1"\ndevice_count = 2\nregion_size = 1024
raids = ["mirror_rmeta_0", "mirror_rimage_0", "mirror_rmeta_1", "mirror_rimage_1"]'
  lv mirror_rmeta_0 "$HIDDEN" "$(linear 0 1 pv0 30)"
  lv mirror_rimage_0 "$HIDDEN" "$(linear 0 8 pv0 20)"
  lv mirror_rmeta_1 "$HIDDEN" "$(linear 0 1 pv1 20)"
  lv mirror_rimage_1 "$HIDDEN" "$(linear 0 8 pv1 10)"
  lv data "$VISIBLE" $'start_extent = 0\nextent_count = 40\ntype = "thin-pool"\nmetadata = "data_tmeta"\npool = "data_tdata"
transaction_id = 2\nchunk_size = 128\ndiscards = "passdown"\nzero_new_blocks = 1'
  lv data_tmeta "$HIDDEN" "$(linear 0 4 pv0 40)"
  lv data_tdata "$HIDDEN" "$(linear 0 40 pv0 50)"
  lv vm-100-disk-0 "$VISIBLE" \
    $'start_extent = 0\nextent_count = 32\ntype = "thin"\nthin_pool = "data"\ntransaction_id = 0\ndevice_id = 1'
  lv vm-101-disk-0 "$VISIBLE" \
    $'start_extent = 0\nextent_count = 32\ntype = "thin"\nthin_pool = "data"\ntransaction_id = 1\ndevice_id = 2'
  lv before "$VISIBLE" "$(linear 0 4 pv0 140)"
  lv snapshot0 "$HIDDEN" $'start_extent = 0\nextent_count = 64\ntype = "snapshot"\nchunk_size = 8\norigin = "root"
cow_store = "before"'
  printf '}\n}\n'
} > "$work/pve.vg"

loop_of() { # OFFSET SIZE
  losetup --find --show --offset "$1" --sizelimit "$2" "$out"
}
loops+=("$(loop_of $P2 $P2_SIZE)")
loops+=("$(loop_of $P3 $P3_SIZE)")
lvm() {
  command lvm "$@" --config "devices { filter=[\"a|^${loops[0]}\$|\",\"a|^${loops[1]}\$|\",\"r|.*|\"] use_devicesfile=0 } global
    { activation=0 use_lvmpolld=0 } backup { backup=0 archive=0 }" > "$work/lvm.log" 2>&1 || die "lvm $*: $(cat "$work/lvm.log")"
}
lvm pvcreate -ff -y --norestorefile --uuid $PV0_UUID "${loops[0]}"
lvm pvcreate -ff -y --norestorefile --uuid $PV1_UUID "${loops[1]}"
# Twice, so that the ring holds an older text, too.
sed 's/seqno = 7/seqno = 6/; s/pe_count = 158/pe_count = 157/' "$work/pve.vg" > "$work/older.vg"
lvm vgcfgrestore --force --yes -f "$work/older.vg" pve
lvm vgcfgrestore --force --yes -f "$work/pve.vg" pve
lvm vgck pve

# --- what the volumes hold ------------------------------------------------------------------------------------------------

tree=$work/tree
mkdir -p "$tree"/{bin,etc,boot,usr/lib,var/lib/dpkg}
: > "$tree/usr/lib/ld-linux-x86-64.so.2" # by this, /bin and /etc/fstab other inspectors know a Linux
: > "$tree/etc/fstab"
printf 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n' \
  > "$tree/etc/os-release"
printf 'pve1\n' > "$tree/etc/hostname"
printf 'Package: pve-manager\nStatus: install ok installed\nVersion: 8.1.4\n\n' > "$tree/var/lib/dpkg/status"
: > "$tree/boot/vmlinuz-6.5.11-8-pve"
head -c 20M /dev/urandom > "$tree/boot/noise" # so that both pieces hold files
truncate -s 64M "$out.root"
mke2fs -q -t ext4 -U d3600000-0000-4000-8000-0000000000f5 -L pve-root -d "$tree" "$out.root"

truncate -s 8M "$out.swap"
mkswap -q -U d3600000-0000-4000-8000-00000000005a "$out.swap"
head -c 8M /dev/urandom > "$out.stripes"
head -c 8M /dev/urandom > "$out.mirror"

truncate -s 32M "$out.vm-100-disk-0" "$out.vm-101-disk-0"
printf 'label: dos\nlabel-id: 0xd3600100\nstart=2048, type=83, bootable\n' | sfdisk -q "$out.vm-100-disk-0"
rm -rf "$tree"
mkdir -p "$tree/etc"
printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME="Alpine Linux v3.19"\n' > "$tree/etc/os-release"
printf 'web\n' > "$tree/etc/hostname"
head -c 5M /dev/urandom > "$tree/noise"
mke2fs -q -t ext4 -E offset=$MIB -L guest -d "$tree" "$out.vm-100-disk-0" 31M

# Every chunk that is not zero gets a place in the pool, from its end downwards and with gaps.
python3 - "$out.vm-100-disk-0" "$work/tdata" "$work/thin.xml" << 'EOF'
import sys
chunk, chunks = 65536, 640
source, target, xml = open(sys.argv[1], "rb"), open(sys.argv[2], "wb"), open(sys.argv[3], "w")
target.truncate(chunks * chunk)
xml.write('<superblock uuid="" time="1" transaction="2" data_block_size="128" nr_data_blocks="%d">\n' % chunks)
place, mappings = chunks, []
for index in range(512):
    bytes_here = source.read(chunk)
    if not any(bytes_here): continue
    place -= 2 if index % 7 == 0 else 1
    if 100 <= index < 140: place = 100 + index  # a run in order
    target.seek(place * chunk)
    target.write(bytes_here)
    mappings.append((index, place))
    if 100 <= index < 140: place = min(p for _, p in mappings if p >= 240)
xml.write('<device dev_id="1" mapped_blocks="%d" transaction="0" creation_time="0" snap_time="0">\n' % len(mappings))
for mapping in mappings: xml.write('<single_mapping origin_block="%d" data_block="%d" time="0"/>\n' % mapping)
xml.write('</device>\n<device dev_id="2" mapped_blocks="0" transaction="1" creation_time="0" snap_time="0">\n</device>\n')
xml.write('</superblock>\n')
EOF
truncate -s 4M "$work/tmeta"
thin_restore -q -i "$work/thin.xml" -o "$work/tmeta" > /dev/null

put() { # FILE FROM COUNT DEVICE EXTENT: extents of a file to where they lie
  dd if="$1" of="${loops[$4]}" bs=$MIB skip="$2" count="$3" seek=$(($5 + 1)) conv=notrunc status=none
}
put "$out.swap" 0 8 0 0
put "$out.root" 0 32 1 30
put "$out.root" 32 32 0 100
python3 - "$out.stripes" "$work" << 'EOF'
import sys
data, stripe = open(sys.argv[1], "rb").read(), 65536
for leg in 0, 1:
    with open("%s/leg%d" % (sys.argv[2], leg), "wb") as file:
        for at in range(leg * stripe, len(data), 2 * stripe): file.write(data[at:at + stripe])
EOF
put "$work/leg0" 0 4 0 10
put "$work/leg1" 0 4 1 0
put "$out.mirror" 0 8 0 20
put "$out.mirror" 0 8 1 10
put "$work/tmeta" 0 4 0 40
put "$work/tdata" 0 40 0 50
sync -f "$out"
