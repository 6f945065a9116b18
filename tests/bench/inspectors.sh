#!/bin/bash
# inspectors.sh [IMAGE...]: what hrvm discover, virt-inspector (libguestfs) and os-prober see on the same images, and how
# long each takes. Run by hand, as root; installs what it needs. Without IMAGE: the tests' demo disk, a Proxmox VE on LVM, and
# a Windows 11, which the tests' scripts make.
#
#   virt-inspector  starts an appliance by QEMU. A kernel for it comes from the tests' cache (tests/deps.sh): libguestfs takes
#                   none that is not installed otherwise. TCG, so that all hosts compare; TIMES=direct uses KVM. The time to
#                   build the appliance, once a host, is not counted. It has no word for a bus to boot from.
#   os-prober       lists partitions of attached disks, and LVM's volumes by device-mapper. Here each filesystem is given to
#                   its tests as a loop device of its own: what lies in an image, or beside it (IMAGE.root, IMAGE.ntfs), where
#                   the script that made it left what LVM would show. So it is spared to find them, and its time is that of the
#                   tests alone. Kernels are told by linux-boot-prober, whose time is added. A Windows that boots by UEFI it
#                   finds by udev's word for the EFI system partition, and only on a host that booted so itself: it is not
#                   seen here.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder (else /var/tmp).
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 2; }

missing=()
for package in libguestfs-tools os-prober grub-common jq python3-minimal kmod; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"

# --- the appliance ----------------------------------------------------------------------------------------------------

kernel=${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}/kernel
version=$(basename "$kernel"/lib/modules/*)
mkdir -p "$WORK/appliance/lib/modules" "$WORK/cache"
cp -a "$kernel/lib/modules/$version" "$WORK/appliance/lib/modules/"
depmod -b "$WORK/appliance" "$version"
export SUPERMIN_KERNEL=$kernel/boot/vmlinuz-$version SUPERMIN_KERNEL_VERSION=$version
export SUPERMIN_MODULES=$WORK/appliance/lib/modules/$version
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_CACHEDIR=$WORK/cache
[ "${TIMES:-}" = direct ] || export LIBGUESTFS_BACKEND_SETTINGS=force_tcg

# --- the three --------------------------------------------------------------------------------------------------------
# Each prints: product | version | kernels | bus. A name that is missing is a dash.

row() { printf '%-14s %8s s  %s\n' "$1" "$2" "$3"; }

with_hrvm() {
  "$HRVM" discover "$1" --json | jq -r '.disks[0] as $disk | $disk.systems[]
    | [.pretty, (.version // "-"), (if .kernels == [] then "-" else .kernels | join(" ") end),
       (if .inside then "(a guest)" else "\($disk.advice.bus), \($disk.advice.nic)" end)] | join(" | ")'
}

with_virt_inspector() {
  virt-inspector --no-applications --no-icon --format=raw -a "$1" > "$WORK/xml" || return
  python3 - "$WORK/xml" << 'PYTHON'
import sys, xml.etree.ElementTree as tree
for system in tree.parse(sys.argv[1]).getroot():
    word = lambda name: system.findtext(name) or "-"
    print(word("product_name"), f'{word("major_version")}.{word("minor_version")}', "-", "-", sep=" | ")
PYTHON
}

# The filesystems of an image: FILE OFFSET SIZE.
filesystems_of() {
  "$HRVM" discover "$1" --json | jq -r --arg file "$1" '.disks[0].partitions[]
    | select(.filesystem != null and .filesystem != "LVM2_member") | "\($file) \(.start_bytes) \(.size_bytes)"'
  local beside
  for beside in "$1".root; do [ ! -e "$beside" ] || printf '%s 0 %s\n' "$beside" "$(stat -c %s "$beside")"; done
}

with_os_prober() {
  local file offset size loop
  mkdir -p /var/lib/os-prober
  while read -r file offset size; do
    loop=$(losetup --find --show --read-only --offset "$offset" --sizelimit "$size" "$file")
    unshare --mount bash -c '
      export OS_PROBER_TMP=$2
      : > "$2/mounted-map"
      found=$(for test in /usr/lib/os-probes/*; do [ ! -f "$test" ] || "$test" "$1"; done 2> /dev/null)
      [ -n "$found" ] || exit 0
      kernels=$(for test in /usr/lib/linux-boot-probes/*; do [ ! -f "$test" ] || "$test" "$1"; done 2> /dev/null)
      while IFS=: read -r device name rest; do
        printf "%s | - | %s | -\n" "$name" "$(cut -d: -f4 <<< "$kernels" | grep . | sort -u | paste -sd" " | grep . || echo -)"
      done <<< "$found"' - "$loop" "$WORK"
    losetup --detach "$loop"
  done < <(filesystems_of "$1")
}

# Its last words. What virt-inspector is missing stands in the middle of an advice.
why_failed() { printf 'failed: %s\n' "$(grep -v '^ *$' "$1" | tail -n 3 | tr -s ' \n' ' ')"; }

compare() { # IMAGE
  local tool start line name
  for tool in hrvm virt_inspector os_prober; do
    start=$EPOCHREALTIME
    "with_$tool" "$1" > "$WORK/said" 2> "$WORK/errors" || why_failed "$WORK/errors" > "$WORK/said"
    name=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
    [ -s "$WORK/said" ] || echo "(nothing)" > "$WORK/said"
    while read -r line; do
      row "$tool" "$name" "$line"
      name=""
    done < "$WORK/said"
  done
}

# --- the images -------------------------------------------------------------------------------------------------------

images=("$@")
if [ ${#images[@]} -eq 0 ]; then
  tests/support/make-demo-disk.sh "$WORK/demo.img" > /dev/null
  tests/support/make-lvm-disk.sh "$WORK/proxmox-lvm.img" > /dev/null
  tests/support/make-windows-disk.sh "$WORK/windows-11.img" > /dev/null
  images=("$WORK"/demo.img "$WORK"/proxmox-lvm.img "$WORK"/windows-11.img)
fi

printf 'virt-inspector %s, os-prober %s, %s\n' "$(dpkg-query -W -f '${Version}' libguestfs-tools)" \
  "$(dpkg-query -W -f '${Version}' os-prober)" "$("$HRVM" --version | head -n 1)"
virt-inspector --no-applications --no-icon --format=raw -a "${images[0]}" > "$WORK/first" 2>&1 || true
for image in "${images[@]}"; do
  printf '\n%s: product | version | kernels | bus, network card\n' "$(basename "$image")"
  compare "$image"
done
exit $missed
