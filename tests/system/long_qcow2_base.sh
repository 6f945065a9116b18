#!/bin/bash
# A machine on a qcow2 image that two others back: it boots, keeps what it writes, and none of the three is written.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
demo_disk "$T/demo.img"
qemu-img convert -q -f raw -O qcow2 -c "$T/demo.img" "$T/base.qcow2"
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$T/mid.qcow2"
qemu-img create -q -f qcow2 -b "$T/mid.qcow2" -F qcow2 "$T/web.qcow2"
# Each file has data of its own: behind the partition table, where nothing lies.
qemu-io -f qcow2 -c 'write -P 77 900k 64k' "$T/mid.qcow2" > "$T/qemu-io.log"
qemu-io -f qcow2 -c 'write -P 87 964k 60k' "$T/web.qcow2" >> "$T/qemu-io.log"
FILES=("$T/web.qcow2" "$T/mid.qcow2" "$T/base.qcow2")
shown=$(shown "$T/web.qcow2")

identities() { local file; for file in "${FILES[@]}"; do base_identity "$file"; done; }
before=$(identities)
assert_untouched() { assert_equal "$(identities)" "$before" "the files of the base ${1:-}"; }

CALLS=open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,chmod,fchmod,fchmodat
CALLS+=,chown,fchown,lchown,fchownat,utimensat,utime,utimes,setxattr,fsetxattr,mount,execve

# Of the lines about a file of the base only opens for reading are allowed.
judge() { # NAME [OPENED]: each of the files has to be
  local lines bad file
  for file in "${FILES[@]}"; do
    lines=$(cat "$T/strace.$1".* | grep -F "$file" | grep -v 'execve(' || true)
    bad=$(grep -vE '(openat2?|open)\(.*O_RDONLY' <<< "$lines" | grep -v '^$' || true)
    bad+=$(grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC' <<< "$lines" || true)
    assert_equal "$bad" "" "what $1 did to $file"
    [ -z "${2:-}" ] || grep -q openat <<< "$lines" || fail "strace did not see $1 open $file"
  done
}

trace_command() { # NAME WORDS...
  local name=$1 opened=
  shift
  expect_status 0 strace -ff --seccomp-bpf -qq -y -e "trace=$CALLS" -o "$T/strace.$name" "$HRVM" "$@"
  case $name in discover | import | show | xml | verify | reset | export) opened=opened ;; esac
  judge "$name" "$opened"
}

claim "no command opens a file of the chain for writing"
trace_command discover discover "${FILES[0]}"
trace_command import import "${FILES[0]}" demo --memory 512M --cpus 1 --hash
trace_command list list
trace_command show show demo
trace_command xml boot demo --xml
trace_command verify verify demo --full
trace_command snapshot snapshot create demo@one
trace_command reset reset demo
trace_command undo undo demo
trace_command delete snapshot delete demo@one --discard --yes
trace_command export export demo "$T/out.raw" --format raw
assert_equal "$(sha256sum < "$T/out.raw" | cut -d' ' -f1)" "$shown" "the export"
assert_untouched

claim "QEMU gets a node for each file, read-only, its format named"
expect_status 0 hrvm boot demo --print
for file in "${FILES[@]}"; do
  assert_contains "$OUT" "\"filename\":\"$file\"" "the command"
done
assert_equal "$(grep -o '"auto-read-only":false' <<< "$OUT" | wc -l)" 7 "nodes that stay as they are opened"
assert_equal "$(grep -o '"read-only":true' <<< "$OUT" | wc -l)" 6 "nodes that are read-only"
assert_equal "$(grep -o '"driver":"qcow2"' <<< "$OUT" | wc -l)" 4 "nodes of format qcow2"

claim "libvirt gets the whole chain, and relabels none of it"
expect_status 0 hrvm boot demo --xml
if command -v virt-xml-validate > /dev/null; then
  cp "$T/out" "$T/domain.xml"
  virt-xml-validate "$T/domain.xml" domain > /dev/null || fail "libvirt's schema refuses it: $OUT"
fi
assert_equal "$(grep -c '<backingStore type="file">' <<< "$OUT")" 3 "links of the chain"

claim "it boots by either firmware, and keeps what it writes until it is reset"
boots() { # NUMBER FIRMWARE
  local name=$2-$1
  guest_start demo strace -ff --seccomp-bpf -qq -y -e "trace=$CALLS" -o "$T/strace.$name" \
    "$HRVM" boot demo --console serial --firmware "$2"
  guest_wait demo "$READY boots=[0-9]+ fw=[a-z]+"
  assert_equal "$MATCH" "$READY boots=$1 fw=$2" "the guest"
  guest_login demo
  guest_run demo 'dd if=/dev/zero of=/root/zeroes bs=1M count=8; rm /root/zeroes; fstrim / || true'
  guest_poweroff demo
  judge "$name" opened
  grep -q 'execve(.*qemu-system-x86_64' "$T/strace.$name".* || fail "strace did not see QEMU start"
}
boots 1 bios
boots 2 uefi
assert_untouched "after boots"
qemu-img check -q "$(active_layer demo)" || fail "qemu-img check finds errors in the layer"
expect_status 0 hrvm verify demo --full --json
assert_json "$T/out" '.verdict == "unchanged"'

claim "a snapshot of it boots in a throw-away layer, and the machine from the start once it is reset"
expect_status 0 hrvm snapshot create demo@kept
expect_status 0 hrvm boot demo@kept --wait-for "$READY boots=3" --timeout 120
expect_status 0 hrvm reset demo
expect_status 0 hrvm boot demo --wait-for "$READY boots=1" --timeout 120
assert_untouched "after an ephemeral boot"

claim "a file of the chain that is open for writing stops a boot, and one that was written as well"
qemu-io -f qcow2 -c 'sleep 60000' "$T/mid.qcow2" > "$T/qemu-io.log" 2>&1 &
writer=$!
at_end "end_process $writer"
limit=$((SECONDS + 20))
until hrvm discover "$T/mid.qcow2" --json | jq -e '.disks[0].in_use | length > 0' > /dev/null; do
  [ "$SECONDS" -lt "$limit" ] || fail "qemu-io does not open the image: $(cat "$T/qemu-io.log")"
  sleep 0.1
done
expect_status 4 hrvm boot demo --print
assert_contains "$ERR" 'in use for writing'
end_process "$writer"
qemu-io -f qcow2 -c 'write -P 1 900k 4k' "$T/mid.qcow2" > "$T/qemu-io.log"
expect_status 4 hrvm boot demo --print
assert_contains "$ERR" "$T/mid.qcow2 was written since"
expect_status 3 hrvm verify demo
expect_status 0 hrvm reset demo
expect_status 0 hrvm boot demo --print
