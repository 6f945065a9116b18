#!/bin/bash
# mkfs.btrfs 6.2 (Debian 12) refuses a loop device that nobody has mounted, where another loop device over another part of
# the same file is mounted, and says that the free one is.
#
# btrfs-progs asks of each mounted loop device which file is behind it, and takes two for the same device when the file is
# the same; where in the file each begins and ends (losetup --offset, --sizelimit) is not asked. So:
#   - of the partitions of one disk image, each on a loop device of its own, the one that is to be btrfs cannot be made while
#     another is mounted: "ERROR: /dev/loop1 is mounted", exit status 1, also with -f;
#   - mkfs.ext4 of the same device in the same moment makes its filesystem;
#   - once the neighbour is unmounted mkfs.btrfs does it.
# Who builds an image partition by partition makes its btrfs first, or copies it in.
#
# Needs root, loop devices, apt's sources, and the libraries of btrfs-progs and e2fsprogs. Ends with 0 while it is so.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d /var/tmp/finding.XXXXXX)
first='' second=''
finish() {
  umount "$work/mounted" 2> /dev/null || true
  [ -z "$first" ] || losetup -d "$first" || true
  [ -z "$second" ] || losetup -d "$second" || true
  rm -rf --one-file-system "$work"
}
trap finish EXIT
cd "$work"
not_so() { echo "it is no longer so: $*" >&2; exit 1; }

apt-get -q=2 download 'btrfs-progs=6.2-1+deb12u2' 2> log || { cat log >&2; exit 2; }
dpkg-deb -x ./*.deb tools
btrfs() { "$work/tools/sbin/mkfs.btrfs" -q "$@" > said 2>&1; }
"$work/tools/sbin/mkfs.btrfs" --version

truncate -s 400M disk.img
first=$(losetup -f --show --offset 1MiB --sizelimit 150MiB disk.img)
second=$(losetup -f --show --offset 200MiB --sizelimit 150MiB disk.img)
mkfs.ext4 -q "$first"
mkdir mounted
mount "$first" mounted
echo "--- $second is mounted nowhere: $(findmnt -n -S "$second" || echo no line in findmnt)"
echo "--- mkfs.btrfs -f while its neighbour is mounted"
status=0
btrfs -f "$second" || status=$?
cat said
[ "$status" = 1 ] || not_so "it ends with $status"
grep -qx "ERROR: $second is mounted" said || not_so "it says otherwise"
mkfs.ext4 -q "$second" || not_so "mkfs.ext4 refuses it as well"
umount mounted
btrfs -f "$second" || { cat said; not_so "it refuses it also without a neighbour"; }
echo "--- it is so"
