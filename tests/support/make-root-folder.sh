#!/bin/bash
# make-root-folder.sh OUT.tar: the root filesystem of a small Debian that root logs in to without a password, with the cloud
# kernel and an initramfs of its own, as initramfs-tools makes it: without the modules for a root by virtiofs. Its init is
# busybox's, as systemd takes most of a minute of an emulated processor. Needs mmdebstrap, root, and Debian's archive.
set -euo pipefail
export LC_ALL=C
[ $# = 1 ] || { echo "usage: make-root-folder.sh OUT.tar" >&2; exit 2; }
out=$1 new=${1%.tar}.new.tar
trap 'rm -f "$new"' EXIT

# In the tree that is its argument.
USERLAND='
  for applet in init getty poweroff; do ln -sf /bin/busybox "$1/sbin/$applet"; done
  printf "%s\n" "::sysinit:/bin/busybox mount -t proc proc /proc" "::sysinit:/bin/busybox mount -t sysfs sys /sys" \
    "ttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100" "::shutdown:/bin/sync" > "$1/etc/inittab"
'

mmdebstrap --quiet --variant=minbase --include=linux-image-cloud-amd64,initramfs-tools,busybox-static,zstd \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' --aptopt='APT::Install-Recommends "false"' \
  --customize-hook='chroot "$1" passwd --quiet --delete root' \
  --customize-hook="$USERLAND" \
  --customize-hook='echo folder > "$1/etc/hostname"' \
  --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin' \
  bookworm "$new" > /dev/null
mv "$new" "$out"
