#!/bin/bash
# btrfs made by its own tools and filled by the kernel, on one loop device and on several: hrvm reads what the kernel
# shows.
. "$(dirname "$0")/lib.sh"
need_root
grep -qw btrfs /proc/filesystems || modprobe btrfs 2> /dev/null || skip "the kernel has no btrfs"
in_private_host

mounted=$T/mounted
mkdir "$mounted"
images=()

# Folders of all sizes, text that packs well and bytes that do not, holes, reserved room, links.
fill() { # FOLDER
  local i
  mkdir -p "$1"/{etc,few,many,a/b/c}
  printf 'ID=opensuse-leap\nVERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"\nNAME="openSUSE Leap"\n' \
    > "$1/etc/os-release"
  for i in {1..5}; do : > "$1/few/$i"; done
  (cd "$1/many" && printf 'a-name-that-fills-the-folders-nodes-sooner-%04d\n' {1..600} | xargs touch)
  ln -s ../etc/os-release "$1/a/short"
  ln -s "$(printf 'long/%.0s' {1..180})end" "$1/a/long"
  head -c 3M /dev/urandom > "$1/a/b/whole"
  seq 1 700000 > "$1/a/b/text"
  seq 1 300 > "$1/a/b/small"
  dd if=/dev/urandom of="$1/a/b/holes" bs=4k count=1 seek=700 status=none
  dd if="$1/a/b/text" of="$1/a/b/holes" bs=4k count=9 seek=3 conv=notrunc status=none
  fallocate -l 1M "$1/a/b/c/reserved"
  cp --reflink=always "$1/a/b/text" "$1/a/b/c/shared"
  dd if=/dev/urandom of="$1/a/b/c/shared" bs=5000 count=1 seek=77 conv=notrunc status=none
  seq 1 100 > "$1/a/b/c/rewritten"
  sync -f "$1"
  dd if="$1/a/b/whole" of="$1/a/b/text" bs=7000 count=20 seek=30 conv=notrunc status=none
  fill_special "$1"
}

joined() { local IFS=:; echo "${images[*]}"; }

# Loop devices for the images, in ${loops[@]}.
attach() { # [OPTIONS of losetup]
  local image
  loops=()
  for image in "${images[@]}"; do loops+=("$(losetup --find --show "$@" "$image")"); done
  [ ${#loops[@]} = 1 ] || btrfs device scan "${loops[@]}" > /dev/null
}
detach() { losetup -d "${loops[@]}"; loops=(); }
loops=()
at_end '[ ${#loops[@]} = 0 ] || { umount "$mounted"; detach; } 2> /dev/null'

make() { # COUNT SIZE MKFS-OPTIONS...
  local count=$1 size=$2 i
  shift 2
  rm -f "$T"/image*
  images=()
  for ((i = 0; i < count; i++)); do
    images+=("$T/image$i")
    truncate -s "$size" "$T/image$i"
  done
  mkfs.btrfs -q -f "$@" "${images[@]}" > "$T/mkfs" 2>&1 || fail "mkfs.btrfs $* fails: $(cat "$T/mkfs")"
}

compare() { # the images with what is mounted
  HRVM_TEST_IMAGE=$(joined) HRVM_TEST_TYPE=btrfs HRVM_TEST_TREE=$mounted \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.kernel]' > "$T/out" \
    || fail "hrvm reads something else: $(cat "$T/out")"
}

# Filled with one set of options, compared while mounted read-only, so that the kernel shows what is on the disk.
check() { # MOUNT-OPTIONS
  attach
  mount -o "$1" "${loops[0]}" "$mounted"
  fill "$mounted"
  umount "$mounted"
  mount -o ro "${loops[0]}" "$mounted"
  compare
}
done_with() { umount "$mounted"; detach; }

claim "btrfs as mkfs makes it, with small nodes and large ones, data and metadata mixed, and holes told"
for options in '' '-n 4096 -m single' '-n 65536' '--mixed' '-O ^no-holes'; do
  # shellcheck disable=SC2086
  make 1 400M $options
  check defaults
  done_with
done

claim "each kind of compression, in the tree and beside it"
for kind in zlib:9 lzo zstd:3; do
  make 1 400M
  check "compress-force=$kind,max_inline=2048"
  image=${images[0]}
  btrfs inspect-internal dump-tree -t 5 "$image" > "$T/dump"
  done_with
  number=$(case $kind in zlib*) echo 1 ;; lzo) echo 2 ;; *) echo 3 ;; esac)
  grep -q "extent compression $number " "$T/dump" || fail "nothing is compressed with $kind"
  grep -A2 'inline extent data' "$T/dump" | grep -q "compression $number " || fail "nothing inline is compressed with $kind"
done

claim "each kind of checksum"
for kind in xxhash sha256 blake2; do
  make 1 400M --csum "$kind"
  check defaults
  done_with
done

claim "each profile, on four devices given in any order"
for profile in single raid0 raid1 raid1c3 raid1c4 raid10; do
  make 4 300M -m "$profile" -d "$profile"
  check compress=zstd
  images=("${images[2]}" "${images[0]}" "${images[3]}" "${images[1]}")
  compare
  case $profile in raid1*)
    for i in 0 1 2 3; do
      whole=("${images[@]}")
      unset "images[i]"
      images=("${images[@]}")
      compare
      images=("${whole[@]}")
    done ;;
  esac
  done_with
done

claim "where one copy is damaged the other is read: of metadata, and of data"
make 2 300M -m raid1 -d raid1
check defaults
done_with
cp --sparse=always "${images[0]}" "$T/kept0"
for i in 0 1; do
  head -c 250M /dev/urandom | dd of="${images[i]}" bs=1M seek=2 conv=notrunc status=none
  attach --read-only
  mount -o ro "${loops[0]}" "$mounted"
  HRVM_TEST_DAMAGED=1 compare
  done_with
  [ "$i" = 1 ] || cp --sparse=always "$T/kept0" "${images[0]}"
done

claim "a device that was away while files changed is not believed"
make 2 300M -m raid1 -d raid1
check defaults
done_with
cp --sparse=always "${images[1]}" "$T/away"
attach
mount "${loops[0]}" "$mounted"
seq 5 900000 > "$mounted/a/b/text"
rm "$mounted/many"/*1
done_with
cp --sparse=always "${images[1]}" "$T/present"
cp --sparse=always "$T/away" "${images[1]}"
whole=("${images[@]}")
images=("${images[0]}" "$T/present")
attach --read-only
mount -o ro "${loops[0]}" "$mounted"
images=("${whole[@]}")
HRVM_TEST_DAMAGED=1 compare
images=("${whole[1]}" "${whole[0]}")
HRVM_TEST_DAMAGED=1 compare
done_with

claim "RAID5 is named and refused"
make 3 300M -m raid1 -d raid5
attach
mount "${loops[0]}" "$mounted"
seq 1 100000 > "$mounted/text"
done_with
attach --read-only
mount -o ro "${loops[0]}" "$mounted"
HRVM_TEST_IMAGE=$(joined) HRVM_TEST_TYPE=btrfs HRVM_TEST_TREE=$mounted \
  "$BUILD_DIR/tests/unit_fs" '[.kernel]' > "$T/out" && fail "RAID5 is read"
grep -q "btrfs's RAID5 is not read" "$T/out" || fail "RAID5 is not named: $(cat "$T/out")"
done_with

claim "subvolumes and snapshots, with their paths, the default one and those that cannot be written"
make 1 400M
attach
mount "${loops[0]}" "$mounted"
quietly() { "$@" > /dev/null; }
quietly btrfs subvolume create "$mounted/@"
fill "$mounted/@"
mkdir -p "$mounted/@/var/lib/machines"
quietly btrfs subvolume create "$mounted/@/var/lib/machines/web"
printf 'inside\n' > "$mounted/@/var/lib/machines/web/file"
quietly btrfs subvolume create "$mounted/@home"
quietly btrfs subvolume create "$mounted/@/.snapshots"
mkdir "$mounted/@/.snapshots/1"
quietly btrfs subvolume snapshot -r "$mounted/@" "$mounted/@/.snapshots/1/snapshot"
quietly btrfs subvolume snapshot "$mounted/@" "$mounted/@/.snapshots/2"
printf 'changed\n' > "$mounted/@/etc/os-release"
quietly btrfs subvolume create "$mounted/gone"
quietly btrfs subvolume delete --commit-after "$mounted/gone"
quietly btrfs subvolume set-default "$mounted/@/.snapshots/2"
default=$(btrfs subvolume get-default "$mounted" | cut -d' ' -f2)
umount "$mounted"
mount -o ro,subvolid=5 "${loops[0]}" "$mounted"
compare
{
  echo "5 - - - "
  btrfs subvolume list -q -a "$mounted" | sed 's,<FS_TREE>/,,' | while read -r _ id _ _ _ _ _ _ parent _ path; do
    printf '%s %s %s %s %s\n' "$id" "$([ "$id" = "$default" ] && echo default || echo -)" \
      "$(btrfs property get -ts "$mounted/$path" ro | grep -q true && echo read-only || echo -)" \
      "$([ "$parent" = - ] && echo - || echo snapshot)" "$path"
  done | sort -n
} > "$T/subvolumes"
[ "$(wc -l < "$T/subvolumes")" = 7 ] || fail "there should be 7: $(cat "$T/subvolumes")"
HRVM_TEST_IMAGE=$(joined) HRVM_TEST_TREE=$mounted HRVM_TEST_SUBVOLUMES="$(cat "$T/subvolumes")
" "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.subvolumes]' > "$T/out" \
  || fail "hrvm tells other subvolumes: $(cat "$T/out")"
done_with

claim "a system in a subvolume is told by it"
expect_status 0 hrvm discover "${images[0]}" --json
assert_json "$T/out" '[.disks[0].systems[].root] == ["disk:@/.snapshots/2", "disk:@"] or
  [.disks[0].systems[].root] == ["disk:@/.snapshots/2"]'

claim "a filesystem on two partitions is one, and told once"
disk=$T/disk
truncate -s 640M "$disk"
printf 'label: gpt\nstart=1MiB, size=300MiB\nsize=300MiB\n' | sfdisk -q "$disk"
for start in 1 301; do
  loops+=("$(losetup --find --show --offset $((start * 1048576)) --sizelimit $((300 * 1048576)) "$disk")")
done
mkfs.btrfs -q -f -L pool -m raid1 -d raid0 "${loops[@]}" > /dev/null
btrfs device scan "${loops[@]}" > /dev/null
mount "${loops[0]}" "$mounted"
btrfs subvolume create "$mounted/@rootfs" > /dev/null
fill "$mounted/@rootfs"
done_with
expect_status 0 hrvm discover "$disk" --json
assert_json "$T/out" '.disks[0] | [.systems[].root] == ["btrfs:pool:@rootfs"] and [.findings[].id] == ["no-loader"]'
assert_json "$T/out" '.disks[0].volumes | length == 1 and .[0].path == "btrfs:pool" and .[0].filesystem == "btrfs"'

claim "on two disks it is read from both, and on one of them alone what is missing is told"
make 2 300M -L pool -m raid1 -d raid0
attach
mount "${loops[0]}" "$mounted"
fill "$mounted"
done_with
expect_status 0 hrvm discover "${images[@]}" --json
assert_json "$T/out" '.disks[0] | [.systems[].root] == ["btrfs:pool"] and [.findings[].id] == ["no-loader", "disk-set"]'
assert_json "$T/out" '[.disks[1].findings[].id] == ["disk-set"] and .disks[1].systems == []'
expect_status 0 hrvm discover "${images[1]}" --json
assert_json "$T/out" '[.disks[0].findings[].id] - ["no-loader"] == ["btrfs-member-missing"]'

claim "btrfs that was not unmounted is told as such"
make 1 400M
attach
mount "${loops[0]}" "$mounted"
printf 'ID=debian\n' > "$mounted/os-release"
sync "$mounted/os-release"
cp --sparse=always "${images[0]}" "$T/torn"
done_with
expect_status 0 hrvm discover "$T/torn" --json
assert_json "$T/out" '[.disks[0].findings[].id] - ["no-loader"] == ["filesystem-unclean"]'
expect_status 0 hrvm discover "${images[0]}" --json
assert_json "$T/out" '[.disks[0].findings[].id] - ["no-loader"] == []'
