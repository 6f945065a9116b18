#!/bin/bash
# Systems that lie on several filesystems, or in a folder of one: /usr on a partition of its own, the deployments of an
# ostree, two slots.
. "$(dirname "$0")/lib.sh"

disk=$T/disk.img version=6.1.0-18-amd64
uuid() { printf '%08x-0000-4000-8000-00000000000%s' 0xd0000002 "$1"; }

# disk SIZE...: partitions of so many MiB, each an ext4 with the tree $T/pN, the UUID `uuid N` and the label volN.
make_disk() {
  local size start=1 number=0
  rm -f "$disk"
  truncate -s 128M "$disk"
  { echo 'label: gpt'; for size; do echo "size=${size}M, type=${type:-L}, name=\"${names[number++]:-}\""; done; } | sfdisk -q "$disk"
  number=0
  for size; do
    number=$((number + 1))
    mke2fs -q -F -t ext4 -U "$(uuid $number)" -L vol$number -d "$T/p$number" -E offset=$((start << 20)) "$disk" "${size}M" \
      2> "$T/mke2fs.err"
    start=$((start + size))
  done
}
fresh() { rm -rf "$T"/p?; mkdir -p "$@"; names=(); }
release() { printf 'ID=%s\nNAME="%s"\nVERSION_ID=%s\nPRETTY_NAME="%s %s"\n' "$1" "$2" "$3" "$2" "$3"; }
modules() { # USR
  mkdir -p "$1/lib/modules/$version/kernel/drivers"
  printf 'kernel/drivers/%s.ko\n' block/virtio_blk virtio/virtio_pci > "$1/lib/modules/$version/modules.builtin"
}
discovered() {
  expect_status 0 hrvm discover "$disk" --json
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }

claim "/usr on a partition of its own belongs to its root, by fstab or where there is none"
for device in "UUID=$(uuid 2)" LABEL=vol2 ''; do
  fresh "$T"/p1/{etc,usr,boot/grub,var/lib/x} "$T"/p2/{bin,share,lib}
  ln -s usr/lib "$T/p1/lib"
  ln -s ../usr/lib/os-release "$T/p1/etc/os-release"
  echo box > "$T/p1/etc/hostname"
  [[ -z $device ]] || echo "$device /usr ext4 ro 0 2" > "$T/p1/etc/fstab"
  echo "menuentry Ubuntu { linux /boot/vmlinuz-$version root=UUID=$(uuid 1) console=ttyS0 }" > "$T/p1/boot/grub/grub.cfg"
  echo kernel > "$T/p1/boot/vmlinuz-$version"
  release ubuntu Ubuntu 22.04 > "$T/p2/lib/os-release"
  modules "$T/p2"
  make_disk 30 30
  discovered
  says '.systems | length == 1'
  says '.systems[0] | .id == "ubuntu" and .root == "p1" and .hostname == "box" and .virtio == "yes"'
  says '.systems[0].mounts == [{"point": "/usr", "source": "p2"}]'
  says '.systems[0].boot.root == "p1" and ([.partitions[].role] == ["root", "usr"])'
done

claim "of an ostree the deployment is told that the default entry leads to, the others as states"
fresh "$T"/p1/{grub2,loader.1/entries} "$T/p2/ostree/deploy/fedora/var"
ln -s loader.1 "$T/p1/loader"
echo blscfg > "$T/p1/grub2/grub.cfg"
for number in 1 2; do
  deployment=ostree/deploy/fedora/deploy/$number$number.0
  mkdir -p "$T/p2/$deployment"/{etc,usr/lib,var} "$T/p2/ostree/boot.1.1/fedora/$number" "$T/p1/ostree/fedora-$number"
  release fedora 'Fedora Linux' 41.$number > "$T/p2/$deployment/usr/lib/os-release"
  ln -s ../usr/lib/os-release "$T/p2/$deployment/etc/os-release"
  ln -s usr/lib "$T/p2/$deployment/lib"
  modules "$T/p2/$deployment/usr"
  ln -s ../../../deploy/fedora/deploy/$number$number.0 "$T/p2/ostree/boot.1.1/fedora/$number/0"
  echo kernel > "$T/p1/ostree/fedora-$number/vmlinuz-$version"
  printf 'title Fedora 41.%s (ostree:%s)\nversion %s\noptions root=LABEL=vol2 ostree=/ostree/boot.1/fedora/%s/0\nlinux /ostree/fedora-%s/vmlinuz-%s\n' \
    $number $((2 - number)) $number $number $number $version > "$T/p1/loader.1/entries/ostree-$number-fedora.conf"
done
ln -s boot.1.1 "$T/p2/ostree/boot.1"
make_disk 30 30
discovered
says '.systems | length == 1'
says '.systems[0] | .kind == "ostree" and .version == "41.2" and .root == "p2" and .kernels == ["'$version'"]'
says '.systems[0].folder == "/ostree/deploy/fedora/deploy/22.0" and .systems[0].virtio == "yes"'
says '[.systems[0].states[] | {name, version, default}] == [{"name": "22.0", "version": "41.2", "default": true},
  {"name": "11.0", "version": "41.1", "default": false}]'
says '.systems[0].boot | .entry == "Fedora 41.2 (ostree:0)" and .root == "p2" and .root_by == "ostree"'
expect_status 0 hrvm discover "$disk"
grep -q '^22.0 .*yes$' "$T/out" || fail "the states are not shown"

claim "two slots are one system, of which the default entry's starts"
fresh "$T"/p{1,2,3}
for number in 1 2; do
  mkdir -p "$T/p$number"/{etc,usr/lib,var/lib/x}
  release acme Acme 1.$number > "$T/p$number/etc/os-release"
done
mkdir -p "$T/p3/grub"
printf 'for slot in B A; do if [ $slot = B ]; then default=1; break; fi; done\nmenuentry A { linux (hd0,gpt1)/k root=/dev/sda1 }
menuentry B { linux (hd0,gpt2)/k root=/dev/sda2 }\n' > "$T/p3/grub/grub.cfg"
names=(rootfs-a rootfs-b)
make_disk 30 30 30
discovered
says '.systems | length == 1'
says '.systems[0] | .root == "p2" and .kind == "slots" and .boot.entry == "B"'
says '[.systems[0].states[] | [.name, .version, .default]] == [["rootfs-b", "1.2", true], ["rootfs-a", "1.1", false]]'
