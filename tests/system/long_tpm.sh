#!/bin/bash
# A machine with a TPM: its guest finds it, it ends with the machine however that ends, and what it remembers is kept.
. "$(dirname "$0")/lib.sh"
command -v swtpm > /dev/null || skip "needs swtpm"

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
import_demo --tpm
at_end 'hrvm stop demo --force > /dev/null 2>&1'

SWTPM="^[^ ]*swtpm socket .*$T/store/demo/"
tpms() { pgrep -f "$SWTPM" || true; }
memory() { sha256sum < "$HRVM_STORE/demo/tpm/tpm2-00.permall"; }

claim "the guest finds a TPM 2.0, and the machine's folder has what it remembers"
expect_status 0 hrvm show demo --json
assert_json "$T/out" '.machines[0].tpm == true'
guest_start demo "$HRVM" boot demo --console serial
guest_login demo
guest_run demo '[ $(cat /sys/class/tpm/tpm0/tpm_version_major) = 2 ] && [ -s /sys/firmware/acpi/tables/TPM2 ]'
[ -n "$(tpms)" ] || fail "swtpm does not run"
[ -s "$HRVM_STORE/demo/tpm/tpm2-00.permall" ] || fail "the TPM remembers nothing"

claim "it ends with a QEMU that is killed"
kill -9 "$(cat "$T/guest-demo/pid")"
await_ended "$SWTPM"

claim "and with one that is stopped"
expect_status 0 hrvm boot demo --detach
[ -n "$(tpms)" ] || fail "swtpm does not run"
expect_status 0 hrvm stop demo --force
await_ended "$SWTPM"

claim "and with one that never came to speak to it"
expect_status 1 hrvm boot demo --detach --cpu no-such-cpu
await_ended "$SWTPM"

claim "a boot that is interrupted leaves none"
guest_start interrupted "$HRVM" boot demo --wait-for 'never printed' --timeout 100
await 60 "swtpm does not run" pgrep -f "$SWTPM" > /dev/null
kill -TERM "$(cat "$T/guest-interrupted/pid")"
guest_ended interrupted 20
await_ended "$SWTPM"

claim "a throw-away boot has a copy, which goes with it"
before=$(memory)
expect_status 0 hrvm boot demo --ephemeral --detach
[ -n "$(tpms)" ] || fail "swtpm does not run"
[ -s "$HRVM_STORE"/demo/tmp/*/tpm/tpm2-00.permall ] || fail "it has no copy"
expect_status 0 hrvm stop demo --force
await_ended "$SWTPM"
expect_status 0 hrvm list
assert_equal "$(memory)" "$before" "what the machine's TPM remembers"
assert_equal "$(ls "$HRVM_STORE/demo/tmp")" "" "throw-away folders"

claim "what --print prints runs as it is pasted, whatever the store is called, and is known to run; nat reaches the host"
odd="$T/it's \"a, b\" \\ store"
cp "$BASE" "$T/o, 'ther'.img"
expect_status 0 hrvm --store "$odd" import "$BASE" odd --tpm --memory 512M --cpus 1 --disk "$T/o, 'ther'.img,ro"
expect_status 0 hrvm --store "$odd" boot odd --print --net nat
assert_equal "$(wc -l < "$T/out")" 2 "lines"
assert_contains "$(head -n 1 "$T/out")" "swtpm socket --tpm2" "the first"
hear
guest_start pasted sh -c "$OUT"
guest_login pasted
expect_status 0 hrvm --store "$odd" list --json
assert_json "$T/out" '.machines[0] | .state == "running" and .pid != null'
guest_run pasted '[ $(cat /sys/class/tpm/tpm0/tpm_version_major) = 2 ]'
guest_run pasted "$TAKE_ADDRESS; $(tell_host)"
await 5 "nat does not reach the host" grep -q word "$T/heard"
expect_status 0 hrvm --store "$odd" stop odd --force
await_ended "^[^ ]*swtpm socket .*/$(jq -r .uuid "$odd/odd/current")/"
[ -s "$odd/odd/tpm/tpm2-00.permall" ] || fail "the TPM remembers nothing"

claim "a machine that was set to have none has none"
expect_status 0 hrvm set demo tpm=off
expect_status 0 hrvm boot demo --detach
assert_equal "$(tpms)" "" "swtpm"
expect_status 0 hrvm stop demo --force

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
