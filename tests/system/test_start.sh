#!/bin/bash
# What keeps a disk from starting in a machine, on small images: loaders where firmware looks for them, other processors,
# names that the start waits for.
. "$(dirname "$0")/lib.sh"

disk=$T/disk.img version=6.1.0-18-amd64
root_uuid=9f2c1a30-6b1e-4d0c-8a57-3f2f6a1e9b11

# pe MACHINE: the header of an EFI program, its processor as two bytes for printf.
pe() { printf 'MZ'; head -c 58 /dev/zero; printf '\100\0\0\0PE\0\0'"$1"; head -c 512 /dev/zero; }
# elf MACHINE
elf() { printf '\177ELF\2\1\1'; head -c 9 /dev/zero; printf '\3\0'"$1"'\1\0\0\0'; head -c 64 /dev/zero; }

# root KERNEL-LINE: a Linux whose kernel has every driver.
root() {
  rm -rf "$T/root"
  mkdir -p "$T"/root/{etc,boot/grub,sbin,"lib/modules/$version"}
  printf 'ID=debian\nNAME=Debian\nPRETTY_NAME="Debian 12"\n' > "$T/root/etc/os-release"
  printf 'UUID="%s" / ext4 defaults 0 1\n' $root_uuid > "$T/root/etc/fstab"
  printf 'kernel/drivers/%s.ko\n' virtio/virtio_pci block/virtio_blk ata/ahci ata/ata_piix scsi/sd_mod nvme/host/nvme \
    scsi/virtio_scsi net/virtio_net > "$T/root/lib/modules/$version/modules.builtin"
  elf '\076\0' > "$T/root/sbin/init"
  : > "$T/root/boot/vmlinuz-$version"
  printf 'menuentry "Debian" {\n linux /boot/vmlinuz-%s %s console=ttyS0\n}\n' $version "$1" > "$T/root/boot/grub/grub.cfg"
}

# make_disk TYPE [LOADER MACHINE]: a FAT in a partition of that type, then the root.
make_disk() {
  rm -f "$disk"
  truncate -s 64M "$disk"
  printf 'label: gpt\nstart=2048, size=16M, type=%s\nsize=40M, type=L\n' "$1" | sfdisk -q "$disk"
  mformat -i "$disk@@1048576" -T 32768 -h 255 -s 63 -H 2048 ::
  if [ -n "${2:-}" ]; then
    mmd -i "$disk@@1048576" ::/EFI ::/EFI/BOOT
    pe "$3" > "$T/loader"
    mcopy -i "$disk@@1048576" "$T/loader" "::/EFI/BOOT/$2"
  fi
  mke2fs -q -F -t ext4 -U $root_uuid -d "$T/root" -E offset=$((17 << 20)) "$disk" 40M
}

discovered() {
  expect_status 0 hrvm discover "$disk" --json
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }
ids() { says "[.findings[].id] == $1"; }

claim "a loader in a partition of another type is started by UEFI"
root "root=UUID=$root_uuid ro"
make_disk L BOOTX64.EFI '\144\206'
discovered
says '.firmware == ["uefi"] and .advice.firmware == "uefi" and .partitions[0].role == "esp"'
ids '[]'

claim "a disk without a loader is warned of, also where the only one is of 32 bits"
make_disk U
discovered
ids '["esp-without-loader", "no-loader"]'
make_disk U BOOTIA32.EFI '\114\001'
discovered
ids '["esp-without-loader", "no-loader"]'
expect_status 0 hrvm import "$disk" none --dry-run
assert_contains "$ERR" "one for UEFI of 32 bits, /EFI/BOOT/BOOTIA32.EFI on p1"

claim "what is made for other processors is refused, and taken where one insists"
: > "$T/root/sbin/init"
make_disk U BOOTAA64.EFI '\144\252'
discovered
says '.importable == false and (.findings | any(.id == "other-architecture"))'
expect_status 4 hrvm import "$disk" arm
assert_contains "$ERR" "--force-architecture"
expect_status 0 hrvm import "$disk" arm --force-architecture
elf '\363\0' > "$T/root/sbin/init"
make_disk U BOOTX64.EFI '\144\206'
expect_status 4 hrvm import "$disk" riscv
assert_contains "$ERR" "riscv64"

claim "a start that waits for a swap, or looks for a name that no bus gives, is told"
root "root=UUID=$root_uuid ro resume=UUID=dead"
make_disk U BOOTX64.EFI '\144\206'
discovered
ids '["start-waits-for-swap"]'
root "root=/dev/xvda2 ro"
make_disk U BOOTX64.EFI '\144\206'
discovered
ids '["root-name-needs-bus"]'
says '.findings[0].severity == "warning" and .advice.bus == "virtio"'

claim "the machine gets the bus that a name needs"
for name in sda2:sata vda2:virtio nvme0n1p2:nvme; do
  root "root=/dev/${name%:*} ro"
  make_disk U BOOTX64.EFI '\144\206'
  expect_status 0 hrvm import "$disk" "${name%:*}"
  expect_status 0 hrvm show "${name%:*}" --json
  assert_json "$T/out" ".machines[0].bus == \"${name#*:}\""
done

claim "a disk and its copy in one machine are warned of"
cp --sparse=always "$disk" "$T/copy.img"
expect_status 0 hrvm import "$disk" two --disk "$T/copy.img" --json
assert_json "$T/out" '.findings | any(.id == "duplicate-identity" and .severity == "warning")'

claim "a domain of libvirt gets a bus that libvirt has, and says so; a name that needs NVMe has none"
expect_status 1 hrvm boot nvme0n1p2 --xml
assert_contains "$ERR" "libvirt has no emulated NVMe disks"
root "root=UUID=$root_uuid ro"
make_disk U BOOTX64.EFI '\144\206'
expect_status 0 hrvm import "$disk" nvme --bus nvme
expect_status 0 hrvm boot nvme --xml
assert_contains "$OUT" 'bus="virtio"' "the domain"
assert_contains "$ERR" "libvirt has no emulated NVMe disks: the domain of nvme gets virtio" "the warning"
expect_status 1 hrvm boot nvme --xml --bus nvme
