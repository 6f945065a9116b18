#!/bin/bash
# Machines on other hypervisors' images boot from them as they lie, and no byte of them is written.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
demo_disk "$T/demo.img"

CALLS=open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,chmod,fchmod,fchmodat
CALLS+=,chown,fchown,lchown,fchownat,utimensat,utime,utimes,setxattr,fsetxattr,mount

# boots_from FORMAT FIRMWARE [OPTIONS]: twice, with what the first boot wrote seen by the second.
boots_from() {
  local base=$T/base.$1 before boots lines
  qemu-img convert -q -f raw -O "$1" ${3:+-o "$3"} "$T/demo.img" "$base"
  before=$(base_identity "$base")
  expect_status 0 hrvm import "$base" "on-$1" --memory 512M --cpus 1 --firmware "$2"
  for boots in 1 2; do
    expect_status 0 strace -f --seccomp-bpf -qq -y -e "trace=$CALLS" -o "$T/strace" \
      "$HRVM" boot "on-$1" --wait-for "$READY boots=$boots fw=$2" --timeout 240
    lines=$(grep -F "$base" "$T/strace")
    grep -q 'O_RDONLY' <<< "$lines" || fail "strace did not see $base opened"
    assert_equal "$(grep -vE 'open(at2?)?\(.*O_RDONLY' <<< "$lines" || true)" "" "what the boot did to $base"
    assert_equal "$(grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC' <<< "$lines" || true)" "" "how it opened $base"
  done
  expect_status 0 hrvm verify "on-$1" --json
  assert_equal "$(base_identity "$base")" "$before" "$base"
  rm "$base"
}

claim "VDI, as VirtualBox has it"
boots_from vdi bios
claim "VHD, as Hyper-V and Azure have it"
boots_from vpc bios subformat=dynamic,force_size
claim "VHDX"
boots_from vhdx uefi
claim "VMDK, packed as in an appliance"
boots_from vmdk bios subformat=streamOptimized

claim "libvirt gets one by its format, and that it does not know VHDX is told"
qemu-img convert -q -f raw -O vmdk "$T/demo.img" "$T/virt.vmdk"
expect_status 0 hrvm import "$T/virt.vmdk" virt
expect_status 0 hrvm boot virt --xml
assert_contains "$OUT" '<format type="vmdk" />' "the domain"
if command -v virt-xml-validate > /dev/null; then
  cp "$T/out" "$T/domain.xml"
  virt-xml-validate "$T/domain.xml" domain > /dev/null || fail "libvirt's schema refuses it: $OUT"
fi
qemu-img convert -q -f raw -O vhdx "$T/demo.img" "$T/virt.vhdx"
expect_status 0 hrvm import "$T/virt.vhdx" virtx
expect_status 1 hrvm boot virtx --xml
assert_contains "$ERR" "libvirt does not know the format of $T/virt.vhdx, VHDX" "the message"
