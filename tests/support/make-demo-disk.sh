#!/bin/bash
# make-demo-disk.sh [OPTIONS] OUT.img: builds a small bootable disk with a Linux system on it, as an ordinary file,
# without root, loop devices or mounts. GPT, BIOS boot partition (p1), ESP (p2), ext4 root (p3); Debian's cloud kernel,
# an initramfs and a busybox userland; GRUB for both firmwares.
#
# The system counts its boots in /boot-count, prints `HRVM-DEMO-READY boots=N fw=bios|uefi` on the serial line, then
# asks for a login there (root, no password), and powers off on the ACPI button.
#
#   --bios-only      no loader in the ESP             --size SIZE       256M unless given (K, M, G)
#   --uefi-only      no boot code, nothing in p1      --hostname NAME   demo unless given
#   --vendor-only    in the ESP only EFI/debian/grubx64.efi, which blank UEFI variables do not find
#   --signed         in the ESP EFI/debian/shimx64.efi and its GRUB, which Secure Boot takes
#   --nvme-only      its initramfs finds NVMe disks alone
#   --4kn            4096-byte logical sectors; UEFI only
#   --lvm SECOND.img its root is the volume demo/root, whose first half lies on a second disk and the rest in p3 (root
#                    for loop devices, and LVM's tools)
#   --virtiofs       its initramfs loads what a folder of the host is mounted by
#   --proxmox        the package database of a Proxmox VE 8.1.4
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
umask 022

CACHE=${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}
KERNEL=$CACHE/kernel
DISK_UUID=d3300000-0000-4000-8000-000000000000
PART_UUID=d3300000-0000-4000-8000-00000000000 # and the partition's number
ROOT_UUID=d3300000-0000-4000-8000-0000000000f5
ESP_ID=D3300002

# Virtio, SCSI and IDE disks, the power button, the network; each after what it needs. What the kernel has built in
# (NVMe, ext4) has no file. The CRC modules are needed though no module's symbols say so.
MODULES=(
  virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk
  scsi_common scsi_mod crct10dif_common crct10dif_generic crc-t10dif crc64 crc64_rocksoft_generic crc64-rocksoft t10-pi
  sd_mod virtio_scsi libata ata_piix button evdev failover net_failover virtio_net
)

die() { printf 'make-demo-disk.sh: %s\n' "$*" >&2; exit 1; }

bios=1 uefi=1 second= vendor_only= nvme_only= signed= sector=512 size=256M hostname=demo proxmox= out=
while [ $# -gt 0 ]; do
  case $1 in
    --bios-only) uefi= ;;
    --uefi-only) bios= ;;
    --vendor-only) vendor_only=1 ;;
    --signed) signed=1 ;;
    --nvme-only) nvme_only=1 ;;
    --4kn) sector=4096 bios= ;;
    --lvm) second=$2; shift ;;
    --virtiofs) MODULES+=(fuse virtiofs) ;;
    --proxmox) proxmox=1 ;;
    --size) size=$2; shift ;;
    --hostname) hostname=$2; shift ;;
    -*) die "unknown option $1" ;;
    *) out=$1 ;;
  esac
  shift
done
[ -n "$out" ] || die "usage: make-demo-disk.sh [OPTIONS] OUT.img"
[ -e "$KERNEL/version" ] || die "there is no kernel in $KERNEL: run tests/deps.sh"
version=$(cat "$KERNEL/version")

work=$(mktemp -d "${TMPDIR:-/tmp}/demo-disk.XXXXXX")
trap 'rm -rf "$work"' EXIT
image=$out.part

root_type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
if [ -n "$second" ]; then
  root_type=E6D6D379-F507-44C2-A23C-238F2A3DF928
  MODULES+=(dm-mod)
fi

# Bytes. The partitions lie at the same places whatever the sector size.
MIB=1048576
size_bytes=$(numfmt --from=iec "$size")
bios_start=$((1 * MIB)) bios_size=$((1 * MIB))
esp_start=$((2 * MIB)) esp_size=$((16 * MIB))
root_start=$((18 * MIB)) root_size=$((size_bytes - 19 * MIB))
[ "$root_size" -ge $((64 * MIB)) ] || die "--size must be 83M or more"

partition() { # NUMBER START SIZE TYPE NAME
  printf 'start=%d, size=%d, type=%s, uuid=%s%d, name="%s"\n' \
    $(($2 / sector)) $(($3 / sector)) "$4" "$PART_UUID" "$1" "$5"
}

write_table() {
  {
    printf 'label: gpt\nlabel-id: %s\n' "$DISK_UUID"
    partition 1 $bios_start $bios_size 21686148-6449-6E6F-744E-656564454649 'BIOS boot'
    partition 2 $esp_start $esp_size C12A7328-F81F-11D2-BA4B-00A0C93EC93B 'EFI system'
    partition 3 $root_start $root_size $root_type root
  } > "$work/table"
  # sfdisk takes every image for one with 512-byte sectors; fdisk can be told.
  printf 'I\n%s\nw\n' "$work/table" | fdisk -b $sector --wipe never "$image" > "$work/fdisk.log" 2>&1 \
    || { cat "$work/fdisk.log" >&2; die "fdisk could not write the table"; }
}

add_program() { # TREE PROGRAM: with its libraries
  local library
  cp "$2" "$1/bin/"
  for library in $(ldd "$2" | grep -o '/[^ ]*'); do
    mkdir -p "$1${library%/*}"
    cp -L "$library" "$1$library"
  done
}

make_initramfs() {
  local tree=$work/initramfs module
  mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
  cp /bin/busybox "$tree/bin/busybox"
  [ -z "$second" ] || add_program "$tree" "$(command -v lvm)"
  for module in "${MODULES[@]}"; do
    case $nvme_only$module in 1virtio_blk | 1sd_mod | 1ata_piix | 1virtio_scsi) continue ;; esac
    find "$KERNEL/lib/modules/$version/kernel" -name "$module.ko" \
      -exec cp {} "$tree/modules/$module.ko" \;
    [ ! -e "$tree/modules/$module.ko" ] || printf '%s\n' "$module" >> "$tree/modules/order"
  done
  cat > "$tree/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in \$(cat /modules/order); do insmod /modules/\$module.ko; done
no_root() {
  echo "ALERT!  UUID=$ROOT_UUID does not exist.  Dropping to a shell!"
  echo "HRVM-DEMO-NO-ROOT"
}
tries=0
until [ ! -e /bin/lvm ] || lvm vgchange -ay --sysinit > /dev/null 2>&1; device=\$(findfs UUID=$ROOT_UUID 2> /dev/null); do
  tries=\$((tries + 1))
  [ \$tries -lt 100 ] || { no_root; exec sh; }
  usleep 50000
done
mount -t ext4 "\$device" /root || { no_root; exec sh; }
for kernel_tree in proc sys dev; do mount -o move /\$kernel_tree /root/\$kernel_tree; done
exec switch_root /root /sbin/init
INIT
  chmod 755 "$tree/init"
  (cd "$tree" && find . | sort | cpio -o -H newc --quiet -R 0:0) | gzip -1n > "$1"
}

package_entry() { # NAME VERSION SECTION
  printf 'Package: %s\nStatus: install ok installed\nPriority: optional\nSection: %s\nInstalled-Size: 1\n' "$1" "$3"
  printf 'Maintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: %s\nDescription: demo\n\n' "$2"
}

package_database() {
  package_entry base-files 12.4+deb12u12 admin
  package_entry busybox-static 1:1.35.0-4+b3 shells
  package_entry "linux-image-$version" 6.1.0 kernel
  [ -n "$proxmox" ] || return 0
  package_entry proxmox-ve 8.1.0 admin
  package_entry pve-manager 8.1.4 admin
  package_entry qemu-server 8.0.10 admin
}

write_etc() {
  local etc=$1/etc
  printf '%s\n' "$hostname" > "$etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$hostname" > "$etc/hosts"
  printf 'UUID=%s / ext4 errors=remount-ro 0 1\nUUID=%s /boot/efi vfat umask=0077 0 1\n' \
    $ROOT_UUID "${ESP_ID:0:4}-${ESP_ID:4}" > "$etc/fstab"
  printf 'root::0:0:root:/root:/bin/sh\n' > "$etc/passwd"
  printf 'root:x:0:\n' > "$etc/group"
  printf '12.12\n' > "$etc/debian_version"
  printf 'Debian GNU/Linux 12 \\n \\l\n\n' > "$etc/issue"
  ln -s ../usr/lib/os-release "$etc/os-release"
  cat > "$1/usr/lib/os-release" <<'RELEASE'
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
RELEASE
  cat > "$etc/inittab" <<'INITTAB'
::sysinit:/etc/init.d/rcS
ttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100
::shutdown:/bin/umount -a -r
INITTAB
  cat > "$etc/init.d/rcS" <<'RCS'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo 3 > /proc/sys/kernel/printk
hostname -F /etc/hostname
mount -o remount,rw /
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
ip link set lo up
[ ! -e /sys/class/net/eth0 ] || { ip link set eth0 up; udhcpc -b -q -i eth0 > /dev/null 2>&1 & }
acpid -d -c /etc/acpi -l /dev/null > /dev/null 2>&1 &
boots=$(($(cat /boot-count 2> /dev/null || echo 0) + 1))
echo $boots > /boot-count
sync
firmware=bios
[ ! -d /sys/firmware/efi ] || firmware=uefi
echo "HRVM-DEMO-READY boots=$boots fw=$firmware" > /dev/ttyS0
RCS
  chmod 755 "$etc/init.d/rcS"
  mkdir -p "$etc/acpi/PWRF"
  printf '#!/bin/sh\npoweroff\n' > "$etc/acpi/PWRF/00000080"
  chmod 755 "$etc/acpi/PWRF/00000080"
}

# Busybox is the whole userland; a link for each of its programs where Debian has them.
write_userland() {
  local applet
  cp /bin/busybox "$1/usr/bin/busybox"
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$1/usr/bin/$applet"
  done
  for applet in init getty poweroff reboot halt acpid udhcpc; do
    ln -s ../bin/busybox "$1/usr/sbin/$applet"
  done
  mkdir -p "$1/usr/share/udhcpc"
  cat > "$1/usr/share/udhcpc/default.script" <<'LEASE'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route add default via "$router"
LEASE
  chmod 755 "$1/usr/share/udhcpc/default.script"
}

write_boot() {
  local boot=$1/boot
  cp "$KERNEL/boot/vmlinuz-$version" "$boot/"
  make_initramfs "$boot/initrd.img-$version"
  cat > "$boot/grub/grub.cfg" <<GRUB
set timeout=0
if [ "\$grub_platform" = pc ]; then
  serial --unit=0 --speed=115200
  terminal_input console serial
  terminal_output console serial
fi
menuentry 'Debian GNU/Linux' {
  search --no-floppy --fs-uuid --set=root $ROOT_UUID
  linux /boot/vmlinuz-$version root=UUID=$ROOT_UUID rw quiet console=tty0 console=ttyS0,115200
  initrd /boot/initrd.img-$version
}
GRUB
}

make_root() {
  local tree=$work/root
  mkdir -p "$tree"/{boot/{efi,grub},dev,etc/init.d,home,proc,root,run,sys,tmp,var/lib/dpkg,var/log}
  mkdir -p "$tree"/usr/{bin,lib,sbin,share} "$tree/usr/lib/modules/$version"
  : > "$tree/usr/lib/ld-linux-x86-64.so.2" # by which other inspectors know a Linux
  ln -s usr/bin "$tree/bin"
  ln -s usr/sbin "$tree/sbin"
  ln -s usr/lib "$tree/lib"
  cp "$KERNEL/lib/modules/$version/modules.builtin" "$tree/usr/lib/modules/$version/"
  write_etc "$tree"
  write_userland "$tree"
  write_boot "$tree"
  package_database > "$tree/var/lib/dpkg/status"
  if [ -n "$second" ]; then make_root_on_lvm "$tree"; return; fi
  # Without its size mke2fs would take all that follows, the backup table too.
  mke2fs -q -F -t ext4 -b 4096 -L demo-root -U $ROOT_UUID -d "$tree" \
    -E "offset=$root_start,hash_seed=$ROOT_UUID,nodiscard,lazy_itable_init=1,root_owner=0:0" \
    "$image" $((root_size / 4096))
}

# No volume is active meanwhile: what lies in it is put where LVM says that it lies.
make_root_on_lvm() { # TREE
  local half=$(((root_size / MIB - 2) / 2)) loops=() filter
  truncate -s $(((half + 2) * MIB)) "$second.part"
  loops+=("$(losetup --find --show "$second.part")")
  trap 'losetup -d "${loops[@]}"; rm -rf "$work"' EXIT
  loops+=("$(losetup --find --show --offset $root_start --sizelimit $root_size "$image")")
  lvm() {
    DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1 command lvm "$@" --config "devices { use_devicesfile=0
      filter=[\"a|^${loops[0]}\$|\",\"a|^${loops[1]}\$|\",\"r|.*|\"] } global { activation=0 use_lvmpolld=0 }
      backup { backup=0 archive=0 }" > "$work/lvm.log" 2>&1 || die "lvm $*: $(cat "$work/lvm.log")"
  }
  lvm pvcreate -y --dataalignment 1m "${loops[0]}" "${loops[1]}"
  lvm vgcreate -y -s 1m demo "${loops[0]}" "${loops[1]}"
  lvm lvcreate -y -an -Zn -l $half -n root demo "${loops[0]}"
  lvm lvextend -l $((2 * half)) demo/root "${loops[1]}"
  truncate -s $((2 * half * MIB)) "$work/volume"
  mke2fs -q -F -t ext4 -b 4096 -L demo-root -U $ROOT_UUID -d "$1" \
    -E "hash_seed=$ROOT_UUID,nodiscard,lazy_itable_init=1,root_owner=0:0" "$work/volume"
  dd if="$work/volume" of="$second.part" bs=1M count=$half seek=1 conv=notrunc,sparse status=none
  dd if="$work/volume" of="$image" bs=1M skip=$half seek=$((root_start / MIB + 1)) conv=notrunc,sparse status=none
  losetup -d "${loops[@]}"
  trap 'rm -rf "$work"' EXIT
  mv -T "$second.part" "$second"
}

grub_core() { # FORMAT OUT MODULE...
  local format=$1 core=$2
  shift 2
  printf 'search.fs_uuid %s root\nconfigfile ($root)/boot/grub/grub.cfg\n' $ROOT_UUID > "$work/early.cfg"
  grub-mkimage -O "$format" -p /boot/grub -c "$work/early.cfg" -o "$core" "$@" \
    part_gpt part_msdos ext2 search search_fs_uuid normal configfile linux serial terminal echo test boot ${second:+lvm}
}

# Debian's signed GRUB reads the configuration that lies beside it.
install_signed_loaders() { # ESP
  [ -e "$CACHE/signed" ] || die "there are no signed loaders in $CACHE/signed: run tests/deps.sh"
  printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' $ROOT_UUID > "$work/beside.cfg"
  mcopy -i "$1" "$CACHE/signed/usr/lib/shim/shimx64.efi.signed" ::/EFI/debian/shimx64.efi
  mcopy -i "$1" "$CACHE/signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::/EFI/debian/grubx64.efi
  mcopy -i "$1" "$work/beside.cfg" ::/EFI/debian/grub.cfg
}

make_esp() {
  local at="$image@@$esp_start"
  export MTOOLS_SKIP_CHECK=1
  local fat_bits=16
  [ $sector = 512 ] || fat_bits=12 # 16 MiB have too few clusters of 4096 bytes for FAT16
  mkfs.vfat -F $fat_bits -S $sector -n ESP -i $ESP_ID "$work/esp" -C $((esp_size / 1024)) > /dev/null
  dd if="$work/esp" of="$image" bs=1M seek=$((esp_start / MIB)) conv=notrunc,sparse status=none
  [ -n "$uefi" ] || return 0
  mmd -i "$at" ::/EFI ::/EFI/debian
  if [ -n "$signed" ]; then install_signed_loaders "$at"; return; fi
  grub_core x86_64-efi "$work/grub.efi" fat
  mcopy -i "$at" "$work/grub.efi" ::/EFI/debian/grubx64.efi
  [ -z "$vendor_only" ] || return 0
  mmd -i "$at" ::/EFI/BOOT
  mcopy -i "$at" "$work/grub.efi" ::/EFI/BOOT/BOOTX64.EFI
}

# What grub-bios-setup does, which works on no image file: the core image into the BIOS boot partition, the boot code
# into the MBR around the disk signature and the protective entry.
install_bios_grub() {
  grub_core i386-pc "$work/core.img" biosdisk
  /usr/bin/python3 - "$image" "$work/core.img" /usr/lib/grub/i386-pc/boot.img $((bios_start / 512)) <<'PYTHON'
import struct, sys
image, core_path, boot_path, sector = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
core = bytearray(open(core_path, 'rb').read())
core += bytes(-len(core) % 512)
struct.pack_into('<QHH', core, 0x1F4, sector + 1, len(core) // 512 - 1, 0x820)
boot = bytearray(open(boot_path, 'rb').read(512))
with open(image, 'r+b') as disk:
    table = disk.read(512)
    boot[0x03:0x5A] = table[0x03:0x5A]
    boot[0x1B8:] = table[0x1B8:]
    struct.pack_into('<Q', boot, 0x5C, sector)
    if boot[0x66:0x68] == b'\xeb\x05':
        boot[0x66:0x68] = b'\x90\x90'
    disk.seek(0)
    disk.write(boot)
    disk.seek(sector * 512)
    disk.write(core)
PYTHON
}

rm -f "$image"
truncate -s "$size_bytes" "$image"
write_table
make_root
make_esp
[ -z "$bios" ] || install_bios_grub
mv -T "$image" "$out"
