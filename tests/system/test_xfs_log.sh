#!/bin/bash
# What a crash leaves of an XFS: images taken while the kernel writes to it. hrvm replays the log in memory, and reads
# what a mount of a copy shows, which replays it on the disk. COUNT=20 takes as many images of each layout.
. "$(dirname "$0")/lib.sh"
need_root
in_private_host

count=${COUNT:-1}
pool=$T/pool live=$T/live copy=$T/copy
mkdir "$pool" "$live" "$copy"

truncate -s 20G "$T/pool.image"
mkfs.xfs -q "$T/pool.image"
mount -o loop "$T/pool.image" "$pool"
at_end 'umount "$pool"'

# Makes, renames, links, shortens and removes files and folders for ever, and now and then waits for the disk.
cat > "$T/write.py" << 'PYTHON'
import os, random, sys
top = sys.argv[1]
random.seed(sys.argv[2])
os.mkdir(top)
folders = [top]
def some_file():
    folder = random.choice(folders)
    files = [folder + "/" + name for name in os.listdir(folder)]
    files = [each for each in files if each not in folders]
    return random.choice(files) if files else None
def make(n):
    path = f"{random.choice(folders)}/file-{n}-" + "n" * random.randrange(60)
    with open(path, "wb") as file:
        file.write(os.urandom(random.choice([0, 10, 5000, 70000])))
        if random.random() < 0.1:
            file.flush()
            os.fsync(file.fileno())
def make_folder(n):
    folder = f"{random.choice(folders)}/folder-{n}"
    os.mkdir(folder)
    folders.append(folder)
def scatter(n):
    with open(some_file(), "rb+") as file:
        for _ in range(30):
            file.seek(random.randrange(600) * 4096)
            file.write(b"x" * 100)
def remove_folder(n):
    folder = random.choice(folders[1:])
    for name in os.listdir(folder):
        if folder + "/" + name not in folders: os.unlink(folder + "/" + name)
    os.rmdir(folder)
    folders.remove(folder)
def change_owner(n):
    path = some_file()
    os.chmod(path, n % 512, follow_symlinks=False)
    os.chown(path, n, n, follow_symlinks=False)
steps = [(45, make), (5, make_folder), (5, scatter), (1, remove_folder), (1, change_owner),
         (10, lambda n: os.rename(some_file(), f"{random.choice(folders)}/moved-{n}")),
         (15, lambda n: os.unlink(some_file())), (5, lambda n: os.truncate(some_file(), random.randrange(100000))),
         (5, lambda n: os.symlink("t" * random.choice([10, 200, 900]), f"{random.choice(folders)}/link-{n}")),
         (1, lambda n: os.mknod(f"{random.choice(folders)}/device-{n}", 0o020600, os.makedev(n % 500, n))),
         (5, lambda n: os.setxattr(some_file(), f"user.a{n % 5}", os.urandom(random.choice([5, 300, 3000])))),
         (1, lambda n: os.link(some_file(), f"{random.choice(folders)}/second-{n}")), (1, lambda n: os.sync())]
weights, calls = zip(*steps)
n = 0
while True:
    n += 1
    try: random.choices(calls, weights)[0](n)
    except (OSError, TypeError, IndexError, NotImplementedError): pass
PYTHON

# As the kernel shows it once it has replayed the log of a copy.
compare() { # IMAGE
  local device
  cp --reflink=always "$1" "$pool/copy"
  device=$(losetup -f --show "$pool/copy")
  mount -o ro,nouuid "$device" "$copy" || { losetup -d "$device"; fail "the kernel does not mount $1"; }
  HRVM_TEST_IMAGE=$1 HRVM_TEST_TYPE=xfs HRVM_TEST_TREE=$copy HRVM_TEST_UNCLEAN=1 HRVM_TEST_REPLAYED=1 \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.kernel]' > "$T/out" || {
    umount "$copy"
    losetup -d "$device"
    fail "hrvm reads something else of $1: $(head -50 "$T/out")"
  }
  umount "$copy"
  losetup -d "$device"
}

# Not made where it lies then: mkfs would take the blocks of the pool for sectors.
make() { # MKFS-OPTIONS...
  rm -f "$T/image" "$pool/image"
  truncate -s 400M "$T/image"
  mkfs.xfs -q "$@" "$T/image"
  cp --sparse=always "$T/image" "$pool/image"
}

crash() { # MKFS-OPTIONS...
  local i writers=()
  make "$@"
  mount -o loop "$pool/image" "$live"
  for i in 1 2 3; do
    python3 "$T/write.py" "$live/$i" "$i" & writers+=($!)
  done
  until [ -d "$live/3" ]; do sleep 0.1; done
  sync -f "$live"
  for ((i = 0; i < count; i++)); do
    sleep "0.$((RANDOM % 9 + 1))"
    cp --reflink=always "$pool/image" "$pool/crash-$i"
  done
  kill "${writers[@]}"
  wait "${writers[@]}" 2> "$T/killed" || true
  umount "$live"
  for ((i = 0; i < count; i++)); do compare "$pool/crash-$i"; done
}

claim "XFS of blocks of 4 KiB reads after a crash as the kernel replays it"
crash
claim "XFS of blocks of 1 KiB and large folder blocks reads after a crash as the kernel replays it"
crash -b size=1024 -n size=8192
claim "XFS with a log of large records reads after a crash as the kernel replays it"
crash -l size=64m,su=256k -i nrext64=1

claim "XFS that was shut down is replayed, with what had reached its log"
make
mount -o loop "$pool/image" "$live"
for i in {1..300}; do printf '%s' "$i" > "$live/file-$i"; done
mkdir "$live/folder"
mv "$live"/file-1* "$live/folder"
xfs_io -x -c 'shutdown -f' "$live"
umount "$live"
compare "$pool/image"
[ "$(grep -c . "$T/out")" -gt 0 ] || fail "nothing was compared"

claim "XFS whose log is damaged is read as it lies, and told as not unmounted"
cp --reflink=always "$pool/image" "$pool/damaged"
start=$(xfs_db -r -c 'sb 0' -c 'print logstart' "$pool/image" | sed 's/.*= //')
offset=$(xfs_db -r -c "fsblock $start" -c addr "$pool/image" | sed -n 's/.*byte offset \([0-9]*\),.*/\1/p')
python3 - "$pool/damaged" "$offset" << 'PYTHON'
import sys
with open(sys.argv[1], "rb+") as file:
    file.seek(int(sys.argv[2]))
    log = file.read(1 << 20)
    records = [at for at in range(0, len(log), 512) if log[at:at + 4] == b"\xfe\xed\xba\xbe"]
    for at in records:
        file.seek(int(sys.argv[2]) + at + 512 + 100)
        file.write(b"damaged")
PYTHON
expect_status 0 hrvm discover "$pool/damaged" --json
assert_json "$T/out" '[.disks[0].findings[].id] - ["no-loader"] == ["filesystem-unclean"]'
