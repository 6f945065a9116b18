#!/bin/bash
# make-md-members.sh FOLDER: md arrays made by mdadm and filled by the kernel's md, in a guest that runs Debian's cloud
# kernel. In the folder then lie `data`, of which each array bears the beginning, but `system` the filesystem in `root`;
# `arrays`, with a line for each: its name, its size in bytes; and for each NAME the members NAME.0, NAME.1 and so on.
# Needs no root.
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

KERNEL=${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}/kernel
MODULES=(
  virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk md-mod linear raid0 raid1 raid10
)

# Name, sizes of the members in MiB, and what mdadm is told.
ARRAYS=(
  'mirror 12,12 --level=1 --metadata=1.2'
  'mirror-at-start 12,12 --level=1 --metadata=1.1'
  'mirror-at-end 12,13 --level=1 --metadata=1.0'
  'mirror-old 12,12 --level=1 --metadata=0.90'
  'degraded 12 --level=1 --metadata=1.2'
  'linear 9,12,10 --level=linear --metadata=1.2'
  'linear-old 9,12 --level=linear --metadata=0.90'
  'stripes 12,12,12 --level=0 --metadata=1.2 --chunk=64'
  'stripes-at-end 12,13 --level=0 --metadata=1.0 --chunk=32 --layout=alternate'
  'zones-original 9,15,12,15 --level=0 --metadata=1.2 --chunk=64 --layout=original'
  'zones-alternate 9,15,12 --level=0 --metadata=1.2 --chunk=64 --layout=alternate'
  'raid10 12,12 --level=10 --metadata=1.2'
  'system 12,12 --level=1 --metadata=1.2'
)

die() { printf 'make-md-members.sh: %s\n' "$*" >&2; exit 1; }
[ $# = 1 ] || die "usage: make-md-members.sh FOLDER"
[ -e "$KERNEL/version" ] || die "there is no kernel in $KERNEL: run tests/deps.sh"
version=$(cat "$KERNEL/version")
out=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/md-members.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
seq -f %015.0f 1 3500000 > "$out/data"
mkdir -p "$work/system/etc"
printf 'ID=debian\nPRETTY_NAME="Debian on a mirror"\n' > "$work/system/etc/os-release"
mke2fs -q -t ext4 -d "$work/system" "$out/root" 10M > /dev/null 2>&1

# Disks by serial number, so that nothing hangs on their order.
drives=()
add_drive() { # FILE SERIAL
  local count=$((${#drives[@]} / 4)) # eight in a slot, of which there are few
  drives+=(-drive "if=none,id=$2,format=raw,file=$1,cache=unsafe"
    -device "virtio-blk-pci,drive=$2,serial=$2,addr=$((3 + count / 8)).$((count % 8)),multifunction=on")
}

tree=$work/tree
mkdir -p "$tree"/{bin,dev,proc,sys,run,etc,modules}
add_drive "$out/data" data
add_drive "$out/root" root
for array in "${ARRAYS[@]}"; do
  read -r name sizes options <<< "$array"
  members=()
  for size in ${sizes//,/ }; do
    file=$out/$name.${#members[@]}
    truncate -s "${size}M" "$file"
    serial=disk${#drives[@]}
    add_drive "$file" "$serial"
    members+=("$serial")
  done
  [ "$name" != degraded ] || members+=(missing)
  printf 'make %s %s %d %s\n' "$name" "\"$options\"" "${#members[@]}" "${members[*]}" >> "$tree/arrays"
done

add_program() {
  local library
  cp "$1" "$tree/bin/"
  for library in $(ldd "$1" | grep -o '/[^ ]*'); do
    mkdir -p "$tree${library%/*}"
    cp -L "$library" "$tree$library"
  done
}
cp /bin/busybox "$tree/bin/busybox"
add_program "$(command -v mdadm)"
for module in "${MODULES[@]}"; do
  find "$KERNEL/lib/modules/$version/kernel" -name "$module.ko" -exec strip --strip-debug -o "$tree/modules/$module.ko" {} \;
  [ ! -e "$tree/modules/$module.ko" ] || printf '%s\n' "$module" >> "$tree/modules/order"
done
cat > "$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module.ko; done
disk() { for block in /sys/block/vd*; do [ "$(cat $block/serial)" != "$1" ] || echo /dev/${block##*/}; done; }
number=0
make() { # NAME OPTIONS COUNT SERIALS...
  local name=$1 options=$2 count=$3 members= serial
  shift 3
  for serial in "$@"; do [ "$serial" = missing ] && members="$members missing" || members="$members $(disk $serial)"; done
  yes | mdadm --create /dev/md$number $options --run --assume-clean --homehost=host --name=$name --raid-devices=$count $members \
    > /failed 2>&1 || { echo "FAILED $name: $(cat /failed)"; return; }
  local source=data
  [ "$name" != system ] || source=root
  dd if=$(disk $source) of=/dev/md$number bs=64k 2> /dev/null
  sync
  echo "ARRAY $name $(blockdev --getsize64 /dev/md$number)"
  mdadm --stop /dev/md$number > /dev/null 2>&1 || echo "FAILED to stop $name"
  number=$((number + 1))
}
. /arrays
echo COMPLETE
poweroff -f
INIT
chmod 755 "$tree/init"
(cd "$tree" && find . | sort | cpio -o -H newc --quiet -R 0:0) | gzip -1n > "$work/initramfs"

timeout 300 qemu-system-x86_64 -accel tcg -m 256 -nodefaults -display none -no-reboot -serial stdio \
  -kernel "$KERNEL"/boot/vmlinuz-* -initrd "$work/initramfs" -append 'console=ttyS0 quiet' "${drives[@]}" \
  < /dev/null | tr -d '\r' > "$work/console" || die "the guest has failed: $(tail -n 20 "$work/console")"
grep -q '^COMPLETE' "$work/console" || die "the guest came to no end: $(tail -n 20 "$work/console")"
! grep FAILED "$work/console" >&2 || die "an array could not be made"
sed -n 's/^ARRAY //p' "$work/console" > "$out/arrays"
