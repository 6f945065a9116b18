#!/bin/bash
# What discover says that a system boots by, on a disk of real filesystems with an initramfs of each kind: its menu's
# entry, the drivers of each bus and how they are known; and what import makes of it.
. "$(dirname "$0")/lib.sh"

disk=$T/disk.img version=6.1.0-18-amd64
root_uuid=9f2c1a30-6b1e-4d0c-8a57-3f2f6a1e9b11 boot_uuid=c0ffee00-1111-2222-3333-444455556666
mkdir -p "$T"/{root,boot/grub,esp/EFI/debian,initramfs}

# As Debian's installer lays out a disk with /boot of its own.
printf 'search.fs_uuid %s root hd0,gpt2 \nset prefix=($root)'\''/grub'\''\nconfigfile $prefix/grub.cfg\n' $boot_uuid \
  > "$T/esp/EFI/debian/grub.cfg"
cat > "$T/boot/grub/grub.cfg" << EOF
if [ -s \$prefix/grubenv ]; then
  load_env
fi
set default="\${saved_entry}"
if [ x"\${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
fi
menuentry 'Debian GNU/Linux' --class debian \$menuentry_id_option 'gnulinux-simple-$root_uuid' {
	search --no-floppy --fs-uuid --set=root $boot_uuid
	linux	/vmlinuz-6.1.0-13-amd64 root=UUID=$root_uuid ro  quiet
	initrd	/initrd.img-6.1.0-13-amd64
}
submenu 'Advanced options for Debian GNU/Linux' \$menuentry_id_option 'gnulinux-advanced-$root_uuid' {
	menuentry 'Debian GNU/Linux, with Linux $version' --class debian \$menuentry_id_option 'gnulinux-$version-advanced' {
		search --no-floppy --fs-uuid --set=root $boot_uuid
		linux	/vmlinuz-$version root=UUID=$root_uuid ro  console=ttyS0
		initrd	/initrd.img-$version
	}
}
EOF
grub-editenv "$T/boot/grub/grubenv" create
grub-editenv "$T/boot/grub/grubenv" set saved_entry="gnulinux-advanced-$root_uuid>gnulinux-$version-advanced"
printf kernel > "$T/boot/vmlinuz-$version"
{
  printf '# Automatically generated file\nCONFIG_BLK_DEV_NVME=y\n# CONFIG_ATA_PIIX is not set\n'
  printf 'CONFIG_%s=m\n' VIRTIO_BLK VIRTIO_PCI SCSI_VIRTIO BLK_DEV_SD SATA_AHCI
} > "$T/boot/config-$version"
mkdir -p "$T"/root/{etc/initramfs-tools,"lib/modules/$version"}
printf 'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' > "$T/root/etc/os-release"
printf 'MODULES=dep\n' > "$T/root/etc/initramfs-tools/initramfs.conf"
printf 'kernel/drivers/nvme/host/nvme.ko\n' > "$T/root/lib/modules/$version/modules.builtin"
printf 'UUID=%s / ext4 errors=remount-ro 0 1\nUUID=%s /boot ext4 defaults 0 2\n/dev/sdb1 /srv ext4 defaults 0 2\n' \
  $root_uuid $boot_uuid > "$T/root/etc/fstab"

# initramfs COMPRESSOR DRIVER...: one as initramfs-tools makes it, with microcode before it.
initramfs() {
  local compressor=$1 driver
  shift
  rm -rf "$T"/{initramfs,microcode}
  mkdir -p "$T/initramfs/usr/lib/modules/$version/kernel/drivers" "$T/microcode/kernel/x86/microcode"
  head -c 100k /dev/urandom > "$T/microcode/kernel/x86/microcode/AuthenticAMD.bin"
  for driver; do
    mkdir -p "$(dirname "$T/initramfs/usr/lib/modules/$version/kernel/drivers/$driver")"
    head -c 50k /dev/zero > "$T/initramfs/usr/lib/modules/$version/kernel/drivers/$driver"
  done
  (cd "$T/microcode" && find . | LC_ALL=C sort | cpio -o --quiet -H newc) > "$T/boot/initrd.img-$version"
  (cd "$T/initramfs" && find . | LC_ALL=C sort | cpio -o --quiet -H newc) | $compressor >> "$T/boot/initrd.img-$version"
}

make_disk() {
  rm -f "$disk"
  truncate -s 128M "$disk"
  sfdisk -q "$disk" << EOF
label: gpt
start=2048, size=16M, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
size=32M, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=64M, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
EOF
  mformat -i "$disk@@1048576" -T 32768 -h 255 -s 63 -H 2048 ::
  mcopy -s -i "$disk@@1048576" "$T/esp/EFI" ::
  mke2fs -q -F -t ext4 -U $boot_uuid -d "$T/boot" -E offset=$((17 << 20)) "$disk" 32M
  mke2fs -q -F -t ext4 -U $root_uuid -d "$T/root" -E offset=$((49 << 20)) "$disk" 64M
}

discovered() { # OPTION...
  expect_status 0 hrvm discover "$disk" --json "$@"
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }
verdict() { printf '.systems[0].drivers | map({(.bus): .verdict}) | add == %s' "$1"; }

claim "the entry that GRUB would start, with its files and root"
initramfs 'zstd -q' block/virtio_blk.ko virtio/virtio_pci.ko scsi/sd_mod.ko
make_disk
discovered
says '.systems[0].boot == {"loader": "GRUB", "source": "p2:/grub/grub.cfg",
  "entry": "Debian GNU/Linux, with Linux 6.1.0-18-amd64", "kernel": "p2:/vmlinuz-6.1.0-18-amd64",
  "initramfs": "p2:/initrd.img-6.1.0-18-amd64",
  "command_line": "root=UUID=9f2c1a30-6b1e-4d0c-8a57-3f2f6a1e9b11 ro console=ttyS0", "root": "p3",
  "root_by": "command-line", "serial_console": true, "others": []}'

claim "drivers are found in an initramfs of every compression"
for compressor in cat gzip 'xz --check=crc32' lzma bzip2 'lz4 -lq' 'zstd -q -19'; do
  initramfs "$compressor" block/virtio_blk.ko virtio/virtio_pci.ko scsi/sd_mod.ko
  make_disk
  discovered
  says "$(verdict '{"virtio": "yes", "scsi": "no", "sata": "no", "nvme": "yes", "ide": "no"}')"
  says '.systems[0].virtio == "yes" and .advice.bus == "virtio"'
  says '.systems[0].drivers[0].because == "virtio_blk is in /boot/initrd.img-6.1.0-18-amd64"'
done

claim "an initramfs for the computer alone leads to the bus that it has"
initramfs 'zstd -q' ata/ahci.ko scsi/sd_mod.ko
make_disk
discovered
says "$(verdict '{"virtio": "no", "scsi": "no", "sata": "yes", "nvme": "yes", "ide": "no"}')"
says '.advice.bus == "sata" and (.advice.because | any(. == "SATA: ahci is in /boot/initrd.img-6.1.0-18-amd64"))'
says '[.findings[].id] | contains(["no-virtio-driver", "fstab-names-hardware"])'
expect_status 0 hrvm import "$disk" hostonly
expect_status 0 hrvm show hostonly --json
assert_json "$T/out" '.machines[0].bus == "sata"'

claim "a quick look reads no initramfs, and says what it cannot know"
discovered --quick
says "$(verdict '{"virtio": "unknown", "scsi": "unknown", "sata": "unknown", "nvme": "yes", "ide": "no"}')"
says '.systems[0].drivers[0].because | . == "virtio_blk may be missing in the initramfs: " +
  "/etc/initramfs-tools/initramfs.conf says MODULES=dep"'

claim "a broken initramfs costs no more than what it would have told"
initramfs 'zstd -q -19' block/virtio_blk.ko virtio/virtio_pci.ko
truncate -s -200 "$T/boot/initrd.img-$version"
make_disk
discovered
says '.systems[0].virtio == "unknown" and .systems[0].boot.root == "p3"'
