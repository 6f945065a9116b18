#!/bin/bash
# e2fsck 1.47.0 (Debian 12) loses what ext4's fast commits hold, and what the kernel's mount of the same image shows.
#
# An ext4 with the feature fast_commit; a file is removed, a folder made with a file in it, another file appended to, and
# each is synced. A copy of the image at this moment is what a crash would leave. Mounted by Linux 6.18 it shows all of
# that. After `e2fsck -fy` of another copy
#   - the new folder is gone, and the file in it lies nameless in lost+found;
#   - the other file is as long as it was before the append that was synced;
#   - e2fsck has said "No free space in the directory" of a folder that has room, and ends with 1: "errors corrected".
# So a filesystem with fast commits is mounted once, to replay its journal, before anything checks it.
#
# Needs root, a kernel that mounts ext4 with fast_commit from a loop device, and apt's sources. Ends with 0 while it is so.
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 2; }
# Mounts are seen here only.
[ -n "${FINDING_MOUNTS:-}" ] || FINDING_MOUNTS=1 exec unshare --mount "$(realpath "$0")"

work=$(mktemp -d /var/tmp/finding.XXXXXX)
finish() {
  ! mountpoint -q "$work/mounted" || umount "$work/mounted"
  rm -rf --one-file-system "$work"
}
trap finish EXIT
cd "$work"
mkdir mounted
not_so() { echo "it is no longer so: $*" >&2; exit 1; }

version=1.47.0-2+b2
for package in e2fsprogs libext2fs2 libcom-err2 libss2; do
  apt-get -q=2 download "$package=$version" 2> log || { cat log >&2; exit 2; }
done
for package in ./*.deb; do dpkg-deb -x "$package" tools; done
export LD_LIBRARY_PATH=$work/tools/lib/x86_64-linux-gnu:$work/tools/usr/lib/x86_64-linux-gnu
tool() { "$work/tools/sbin/$1" "${@:2}"; }
tool e2fsck -V 2>&1 | head -n 1

truncate -s 64M image
tool mke2fs -q -F -t ext4 -O fast_commit image
mount -o loop image mounted
echo before > mounted/appended
echo b > mounted/removed
sync -f mounted
sleep 0.5
rm mounted/removed
mkdir mounted/folder
echo in > mounted/folder/file
sync mounted/folder/file
echo synced >> mounted/appended
sync mounted/appended
cp --sparse=always image crashed
umount mounted

shown() { (cd mounted && find . -mindepth 1 ! -path './lost+found' \( -type d -printf '%P d\n' -o -printf '%P %y %s\n' \) | sort); }

cp --sparse=always crashed by-kernel
mount -o loop by-kernel mounted
echo "--- what Linux $(uname -r) shows"
shown | tee kernel
umount mounted
diff kernel - << 'SHOWN' || not_so "the kernel shows what was synced"
appended f 14
folder d
folder/file f 3
SHOWN

cp --sparse=always crashed checked
status=0
tool e2fsck -fy checked > said 2>&1 || status=$?
echo "--- e2fsck -fy ends with $status, and says"
cat said
mount -o loop checked mounted
echo "--- what is left"
shown | tee left
umount mounted
[ "$status" = 1 ] || not_so "e2fsck ends with 1"
grep -q 'No free space in the directory' said || not_so "e2fsck finds no room in a folder"
! grep -q '^folder d$' left || not_so "the folder is lost"
grep -q '^lost+found/#[0-9]* f 3$' left || not_so "its file lies in lost+found"
grep -q '^appended f 7$' left || not_so "the append is lost"
echo "--- it is so"
