#!/bin/bash
# make-dirty-xfs.sh FILE: an XFS that the kernel left without writing its log back, packed as support/few_blocks.hpp
# reads it. tests/corpus/xfs_disks/dirty-log.packed was made by it. Needs root and a kernel that mounts XFS.
set -euo pipefail
[ $# = 1 ] || { echo "usage: make-dirty-xfs.sh FILE" >&2; exit 2; }
packed=$(realpath "$1")
# Mounts are seen here only.
[ -n "${HRVM_MOUNTS:-}" ] || HRVM_MOUNTS=1 exec unshare --mount "$(realpath "$0")" "$packed"

work=$(mktemp -d)
image=$work/image mounted=$work/mounted
trap '! mountpoint -q "$mounted" || umount "$mounted"; rm -rf --one-file-system "$work"' EXIT
mkdir "$mounted"
truncate -s 300M "$image"
mkfs.xfs -q -d agcount=2 "$image"

# What the log is to change is on the disk before.
mount -o loop "$image" "$mounted"
cd "$mounted"
mkdir d
echo old > d/old
ln -s d/old link
seq 300 > numbers
setfattr -n user.note -v before numbers
cd /
umount "$mounted"

mount -o loop "$image" "$mounted"
cd "$mounted"
echo made > made
sync made
mv d/old d/renamed
rm link
ln -s d/renamed newer
setfattr -n user.note -v after numbers
truncate -s 100 numbers
chmod 600 numbers
mkdir folder
for i in {1..30}; do : > "folder/name-$i"; done
rm folder/name-7
cd /
xfs_io -x -c 'shutdown -f' "$mounted"
umount "$mounted"

# A mount writes the heads of empty records over the log, which tell nothing: without them little is left.
python3 - "$image" "$packed" << 'PYTHON'
import sys
image = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "wb") as packed:
    for block in range(0, len(image), 4096):
        sectors = [image[at : at + 512] for at in range(block, block + 4096, 512)]
        kept = [bytes(512) if each[:4] == b"\xfe\xed\xba\xbe" and not any(each[12:16]) else each for each in sectors]
        if any(map(any, kept)):
            packed.write((block // 4096).to_bytes(4, "little") + b"".join(kept))
PYTHON
