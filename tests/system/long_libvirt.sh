#!/bin/bash
# The domain that `boot --xml` prints: valid, defined and started by a real libvirtd, and libvirt leaves the base alone,
# whose owner it changes where nobody tells it not to.
. "$(dirname "$0")/lib.sh"
in_private_host

virsh() { command virsh -q -c qemu:///system "$@"; }

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
chmod 755 "$T" # the guest's process runs as libvirt-qemu, and reads the base
start_libvirt

console() { printf '%s' "$T/console-$1.log"; }

for firmware in bios uefi; do
  claim "$firmware: the XML is valid and its domain reaches the login"
  expect_status 0 hrvm import "$BASE" "$firmware" --memory 512M --cpus 1 --firmware "$firmware"
  expect_status 0 hrvm boot "$firmware" --xml
  cp "$T/out" "$T/domain.xml"
  virt-xml-validate "$T/domain.xml" domain > /dev/null || fail "libvirt's schema refuses it: $(cat "$T/domain.xml")"
  virsh define "$T/domain.xml" || fail "virsh does not define it: $(cat "$T/domain.xml")"
  virsh start "$firmware" || fail "virsh does not start it: $(tail -n 5 /var/log/libvirt/qemu/*.log "$T/libvirtd.log")"
  script -qfc "virsh -c qemu:///system console $firmware --force" "$(console "$firmware")" > /dev/null < <(sleep 120) &
  reader=$!
  limit=$((SECONDS + 100))
  until grep -aq "$READY boots=1 fw=$firmware" "$(console "$firmware")" 2> /dev/null; do
    [ "$SECONDS" -lt "$limit" ] || fail "the domain does not reach its login: $(tail -n 20 "$(console "$firmware")")"
    sleep 0.2
  done
  claim "$firmware: hrvm sees that it runs"
  expect_status 0 hrvm show "$firmware" --json
  assert_json "$T/out" '.machines[0].state == "running"'
  expect_status 1 hrvm reset "$firmware"
  assert_equal "$(base_identity "$BASE")" "$base" "the base while the domain runs"
  virsh destroy "$firmware"
  kill -9 "$reader"
  claim "$firmware: after it has run, the base has owner, mode and times as before, and hrvm boots the machine"
  assert_equal "$(base_identity "$BASE")" "$base" "the base"
  expect_status 0 hrvm boot "$firmware" --wait-for "$READY boots=2" --timeout 100
  virsh undefine --nvram "$firmware" 2> /dev/null || virsh undefine --keep-nvram "$firmware"
done
assert_equal "$(base_identity "$BASE")" "$base" "the base"
