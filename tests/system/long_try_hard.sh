#!/bin/bash
# What a disk boots on is not known, and hrvm finds it by trying.
. "$(dirname "$0")/lib.sh"

claim "a system whose initramfs finds NVMe disks alone: the machine was given virtio, and gets NVMe"
BASE=$T/nvme.img
demo_disk "$BASE" --nvme-only
base=$(base_identity "$BASE")
expect_status 0 hrvm import "$BASE" demo --memory 512M --cpus 1 --bus virtio --firmware bios
expect_status 0 hrvm boot demo --try-hard --json
cp "$T/out" "$T/tried.json"
assert_json "$T/tried.json" '.machine == "demo" and .changed and ([.tries[] | select(.up)] | length) == 1'
assert_json "$T/tried.json" '.tries[0] | .bus == "virtio" and .firmware == "bios" and .stage == "kernel"'
assert_json "$T/tried.json" '.tries[0].seen | contains("initramfs shell")'
assert_json "$T/tried.json" '.tries[-1] | .up and .bus == "nvme" and .firmware == "bios"'
expect_status 0 hrvm show demo --json
assert_json "$T/out" '.machines[0].bus == "nvme"'

claim "nothing is left of the tries, and the machine boots as found"
assert_equal "$(find "$HRVM_STORE/demo/tmp" -mindepth 1 2> /dev/null)" "" "throw-away layers"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
expect_status 0 hrvm boot demo --wait-for "$READY boots=1 fw=bios" --timeout 120

claim "a disk without a loader for the BIOS: the other firmware is tried next"
BASE=$T/uefi.img
demo_disk "$BASE" --uefi-only
expect_status 0 hrvm import "$BASE" uefi --memory 512M --cpus 1 --firmware bios
expect_status 0 hrvm boot uefi --try-hard
assert_contains "$OUT" 'uefi boots on virtio by UEFI from its next boot on'
expect_status 0 hrvm boot uefi --try-hard --json
assert_json "$T/out" '(.tries | length) == 1 and (.changed | not)'
