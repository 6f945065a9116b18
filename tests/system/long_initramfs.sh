#!/bin/bash
# Initramfs as initramfs-tools and dracut make them, of Debian's cloud kernel: what discover says of the drivers is what
# the tools' own lists (lsinitramfs, lsinitrd) say.
. "$(dirname "$0")/lib.sh"
in_private_host

kernel=${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}/kernel
version=$(basename "$kernel"/lib/modules/*)
root=$T/root disk=$T/disk.img initrd=$T/root/boot/initrd.img-$version

# The tools look for a kernel where an installed one lies.
mkdir -p /lib/modules
mount -t tmpfs tmpfs /lib/modules
cp -a "$kernel/lib/modules/$version" /lib/modules/
depmod "$version"
mount -t tmpfs tmpfs /boot
cp "$kernel"/boot/config-* /boot/
export TMPDIR=$T

mkdir -p "$root"/{boot/grub,etc,"lib/modules/$version"}
printf 'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' > "$root/etc/os-release"
cp "$kernel/boot/config-$version" "$root/boot/"
cp "$kernel/lib/modules/$version/modules.builtin" "$root/lib/modules/$version/"
tr - _ < "$root/lib/modules/$version/modules.builtin" > "$T/builtin"
printf kernel > "$root/boot/vmlinuz-$version"
printf "menuentry 'Debian' {\n linux /boot/vmlinuz-%s ro console=ttyS0\n initrd /boot/initrd.img-%s\n}\n" \
  "$version" "$version" > "$root/boot/grub/grub.cfg"

# discovered: the system with the initramfs that was made last, as JSON.
discovered() {
  rm -f "$disk"
  truncate -s 256M "$disk"
  mke2fs -q -F -t ext4 -d "$root" "$disk"
  expect_status 0 hrvm discover "$disk" --json
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }

# By the list that the tool gives, or built into the kernel.
has() { grep -Eq "/$1\.ko(\.xz|\.zst|\.gz)?\$" "$T/list" "$T/builtin"; }
expected() { # BUS DRIVER...
  local driver verdict=yes
  for driver in "${@:2}"; do has "$driver" || verdict=no; done
  says ".systems[0].drivers[] | select(.bus == \"$1\") | .verdict == \"$verdict\""
}
# as_listed TOOL: every bus's verdict is what the list of TOOL says
as_listed() {
  "$1" "$initrd" > "$T/listed" 2> "$T/errors" || fail "$1 fails: $(cat "$T/errors")"
  tr - _ < "$T/listed" > "$T/list"
  discovered
  expected virtio virtio_blk virtio_pci
  expected scsi virtio_scsi virtio_pci sd_mod
  expected sata ahci sd_mod
  expected nvme nvme
  expected ide ata_piix sd_mod
}
virtio() { says ".systems[0].virtio == \"$1\""; }

claim "what mkinitramfs puts in is found, whatever packs it"
cp -a /etc/initramfs-tools "$T/conf"
mkinitramfs_makes() { # MODULES COMPRESSOR [LEVEL]
  sed -i "s/^MODULES=.*/MODULES=$1/; s/^COMPRESS=.*/COMPRESS=$2/" "$T/conf/initramfs.conf"
  mkinitramfs -d "$T/conf" ${3:+-l "$3"} -o "$initrd" "$version" > "$T/log" 2>&1 || fail "mkinitramfs: $(tail "$T/log")"
  as_listed lsinitramfs
}
mkinitramfs_makes most zstd 1
virtio yes
mkinitramfs_makes most xz 0
virtio yes
printf 'virtio_scsi\nsd_mod\n' > "$T/conf/modules"
mkinitramfs_makes list gzip
virtio no
says '.advice.bus == "nvme" or .advice.bus == "scsi"'

dracut_makes() { # OPTION...
  dracut --force --no-hostonly --no-hostonly-cmdline --kver "$version" --modules 'base kernel-modules rootfs-block' \
    "$@" "$initrd" > "$T/log" 2>&1 || fail "dracut: $(tail "$T/log")"
}

claim "what dracut leaves out is missed"
dracut_makes --compress 'zstd -q -1' --omit-drivers 'virtio_blk'
as_listed lsinitrd
virtio no

claim "what dracut puts in is found"
printf 'VERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.5 DEVNAME=/dev/sda2 PVID=x\n' > "$T/system.devices"
dracut_makes --compress 'gzip -n -1' --kernel-cmdline 'root=/dev/mapper/rhel-root rd.lvm.lv=data/home' \
  --include "$T/system.devices" /etc/lvm/devices/system.devices
as_listed lsinitrd
virtio yes

claim "dracut's command line and LVM's list of devices in an initramfs say what a machine would wait for"
says '[.findings[].id] == ["start-waits-for-other-disk", "lvm-devices-file", "start-waits-for-other-disk", "no-loader"]'
says '.findings[0].message == "its start waits for a root that is not on this disk: root=/dev/mapper/rhel-root"'
says '.findings[2].message == "its start waits for what is not on this disk: LVM data/home " +
  "(etc/cmdline.d of its initramfs)"'
