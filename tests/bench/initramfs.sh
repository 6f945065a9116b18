#!/bin/bash
# initramfs.sh: what reading an initramfs costs discover, against zstd and cpio on the same file and in the same run. No
# initramfs here has AHCI, so all of it has to be unpacked. Needs zstd, cpio, e2fsprogs, jq and hyperfine.
#
# Goal: discover as a whole takes at most 1.2 times as long as `zstd -dc FILE | cpio -t`.
#
# HRVM names the binary (else build/release/hrvm), FILES a folder to fill the initramfs with (else
# /usr/lib/x86_64-linux-gnu), BENCH_DIR where to work (else /var/tmp). Exits 1 when the goal is missed.
. "$(dirname "$0")/lib.sh"
RUNS=${RUNS:-10}
FILES=${FILES:-/usr/lib/x86_64-linux-gnu}

root=$WORK/root
mkdir -p "$root"/{etc,boot/grub,lib/modules/6.1.0}
printf 'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' > "$root/etc/os-release"
printf 'menuentry Debian {\nlinux /boot/vmlinuz-6.1.0 root=UUID=%s\ninitrd /boot/initrd.img-6.1.0\n}\n' \
  11111111-2222-3333-4444-555555555555 > "$root/boot/grub/grub.cfg"
printf kernel > "$root/boot/vmlinuz-6.1.0"
printf 'kernel/fs/ext4/ext4.ko\n' > "$root/lib/modules/6.1.0/modules.builtin"

# 200 MiB of what FILES holds, then the drivers.
fill() {
  local tree=$WORK/tree total=0 size file
  mkdir -p "$tree"/{bin,usr/lib/modules/6.1.0/kernel/drivers/block}
  printf x > "$tree/usr/lib/modules/6.1.0/kernel/drivers/block/virtio_blk.ko"
  while read -r size file; do
    cp "$file" "$tree/bin/$((total))" && total=$((total + size))
    ((total < 200 << 20)) || break
  done < <(find "$FILES" -type f -size +16k -size -8M -printf '%s %p\n' | sort -k2)
  (cd "$tree" && find . | sort | cpio -o --quiet -H newc) > "$WORK/cpio"
}

measure() { # TEXT COMPRESSOR...
  local text=$1 ratio
  shift
  "$@" < "$WORK/cpio" > "$root/boot/initrd.img-6.1.0"
  rm -f "$WORK/image"
  truncate -s 400M "$WORK/image"
  mke2fs -q -F -t ext4 -U 11111111-2222-3333-4444-555555555555 -d "$root" "$WORK/image"
  "$HRVM" discover "$WORK/image" --json | grep 'neither in /boot/initrd.img-6.1.0' > /dev/null || {
    echo 'the initramfs was not read to its end'
    exit 1
  }
  hyperfine --warmup 2 --runs "$RUNS" --style none --export-json "$WORK/times.json" \
    "$HRVM discover $WORK/image --json" \
    "$HRVM discover $WORK/image --json --quick" "${1%% *} -dc $root/boot/initrd.img-6.1.0 | cpio -t --quiet" > /dev/null
  jq -r --arg text "$text" '.results | map(.median * 1000) |
    "\($text): discover \(.[0] | round) ms, --quick \(.[1] | round) ms, its tool into cpio \(.[2] | round) ms"' \
    "$WORK/times.json"
  ratio=$(jq '.results | .[0].median / .[2].median' "$WORK/times.json")
  judge '  of the time of its tool' "$ratio" 1.2
}

fill
measure 'zstd -19' zstd -q -19 -T0
measure 'zstd -3' zstd -q -3
measure 'gzip' gzip -6
measure 'xz' xz -1 --check=crc32
exit $missed
