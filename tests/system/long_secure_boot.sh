#!/bin/bash
# Secure Boot: firmware with Microsoft's keys starts what is signed, from shim to the kernel's modules, and nothing else;
# without keys it starts anything.
. "$(dirname "$0")/lib.sh"

BASE=$T/signed.img
demo_disk "$BASE" --signed --uefi-only
base=$(base_identity "$BASE")
expect_status 0 hrvm import --classic --allow-low-space "$BASE" signed --cpus 1 --memory 512M --secure-boot on

keys() {
  hrvm show "$1" --nvram --json > "$T/keys.json"
  jq -r .nvram.secure_boot_keys "$T/keys.json"
}

claim "a signed system boots, by the entry that its variables were given, and knows that Secure Boot is on"
guest_start signed "$HRVM" boot signed --console serial
guest_login signed
guest_run signed 'dmesg | grep -q "Secure boot enabled"'
expect_status 0 hrvm stop signed --force
assert_equal "$(keys signed)" true "keys"
assert_json "$T/keys.json" '.nvram.boot[0].description == "debian" and .machines[0].secure_boot == "on"'

claim "what is not signed does not"
OTHER=$T/unsigned.img
demo_disk "$OTHER" --uefi-only
other=$(base_identity "$OTHER")
expect_status 0 hrvm import --classic --allow-low-space "$OTHER" unsigned --cpus 1 --memory 512M
expect_status 0 hrvm boot unsigned --ephemeral --secure-boot on --wait-for 'Access Denied' --timeout 60

claim "a machine gets variables that have keys, or none, as its boot wants them"
expect_status 0 hrvm boot unsigned --wait-for "$READY.*" --timeout 120
assert_equal "$(keys unsigned)" false "keys"
expect_status 0 hrvm boot unsigned --secure-boot on --wait-for 'Access Denied' --timeout 60
assert_equal "$(keys unsigned)" true "keys"
expect_status 0 hrvm boot unsigned --wait-for "$READY.*" --timeout 120
assert_equal "$(keys unsigned)" false "keys"

claim "blank firmware starts what is not signed, until keys are enrolled"
expect_status 0 hrvm set unsigned secure-boot=blank
expect_status 0 hrvm boot unsigned --wait-for "$READY.*" --timeout 120
assert_equal "$(keys unsigned)" false "keys"

assert_equal "$(base_identity "$BASE")" "$base" "the signed disk"
assert_equal "$(base_identity "$OTHER")" "$other" "the unsigned disk"
