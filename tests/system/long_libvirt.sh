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

qemu-img create -q -f qcow2 -b demo.img -F raw "$T/mid.qcow2"
qemu-img create -q -f qcow2 -b mid.qcow2 -F qcow2 "$T/chain.qcow2"
images() { base_identity "$T/mid.qcow2"; base_identity "$T/chain.qcow2"; }
images=$(images)

run_machine() { # NAME SOURCE FIRMWARE
  local name=$1 firmware=$3
  claim "$name: the XML is valid and its domain reaches the login"
  expect_status 0 hrvm import "$2" "$name" --memory 512M --cpus 1 --firmware "$firmware"
  expect_status 0 hrvm boot "$name" --xml
  cp "$T/out" "$T/domain.xml"
  virt-xml-validate "$T/domain.xml" domain > /dev/null || fail "libvirt's schema refuses it: $(cat "$T/domain.xml")"
  virsh define "$T/domain.xml" || fail "virsh does not define it: $(cat "$T/domain.xml")"
  virsh start "$name" || fail "virsh does not start it: $(tail -n 5 /var/log/libvirt/qemu/*.log "$T/libvirtd.log")"
  script -qfc "virsh -c qemu:///system console $name --force" "$(console "$name")" > /dev/null < <(sleep 120) &
  reader=$!
  limit=$((SECONDS + 100))
  until grep -aq "$READY boots=1 fw=$firmware" "$(console "$name")" 2> /dev/null; do
    [ "$SECONDS" -lt "$limit" ] || fail "the domain does not reach its login: $(tail -n 20 "$(console "$name")")"
    sleep 0.2
  done
  claim "$name: hrvm sees that it runs"
  expect_status 0 hrvm show "$name" --json
  assert_json "$T/out" '.machines[0].state == "running"'
  expect_status 1 hrvm reset "$name"
  assert_equal "$(base_identity "$BASE")" "$base" "the base while the domain runs"
  virsh destroy "$name"
  kill -9 "$reader"
  claim "$name: after it has run, the base has owner, mode and times as before, and hrvm boots the machine"
  assert_equal "$(base_identity "$BASE")" "$base" "the base"
  expect_status 0 hrvm boot "$name" --wait-for "$READY boots=2" --timeout 100
  virsh undefine --nvram "$name" 2> /dev/null || virsh undefine --keep-nvram "$name"
}

run_machine bios "$BASE" bios
run_machine uefi "$BASE" uefi
run_machine chain "$T/chain.qcow2" bios
assert_equal "$(images)" "$images" "the images of the chain"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
