#!/bin/bash
# make-store.sh HRVM STORE.tar.gz: a store as this hrvm makes it, for tests/corpus/stores, one of each release. A test
# opens it with every later hrvm. Its disks are a few sectors long, and holes are kept, so that it packs to some KiB.
set -euo pipefail
hrvm=$(realpath "$1") out=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir disks
run() { "$hrvm" --store "$folder/store" --quiet "$@" > /dev/null; }

truncate -s 2M disks/web.img
printf 'label: dos\nlabel-id: 0x5eed0001\nstart=2048, bootable, type=83\n' | sfdisk -q disks/web.img
truncate -s 1M disks/second.img
qemu-img create -q -f qcow2 -o cluster_size=4k disks/db.qcow2 1M
modules=usr/lib/modules/6.1.0-18-amd64
mkdir -p disks/root/{etc,boot,sbin,$modules}
ln -s usr/lib disks/root/lib
printf 'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' > disks/root/etc/os-release
touch disks/root/sbin/init disks/root/boot/{vmlinuz,initrd.img}-6.1.0-18-amd64
printf 'kernel/fs/fuse/virtiofs.ko\nkernel/drivers/virtio/virtio_pci.ko\n' > "disks/root/$modules/modules.builtin"

# web: every setting that a store of this release can hold, snapshots that branch, and a state that undo brings back.
run import disks/web.img web --classic --allow-volatile --memory 2G --cpus 2 --net nat --description 'the web server'
run snapshot create web@fresh -m 'as imported'
run set web memory=3G cpus=4 cpu=host,-vmx bus=sata machine=pc clock=localtime hyperv=on tpm=on
run snapshot create web@tuned
run snapshot revert web@fresh

# db: several disks, one of which began empty, and others that it reads; nothing but a reset behind it.
run import disks/db.qcow2 db --classic --allow-volatile --disk disks/second.img --new-disk 1M \
  --firmware uefi --secure-boot on --net bridge=br0
run set db disk=+disks/web.img iso=disks/second.img,boot
run reset db

# guest: on a folder.
run import disks/root guest --allow-volatile
run snapshot create guest@first

echo "$folder" > folder
tar --format=posix --sparse --numeric-owner --owner=0 --group=0 -czf "$out" folder store disks
