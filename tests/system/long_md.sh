#!/bin/bash
# md arrays that mdadm has made and the kernel has filled, in a guest: hrvm reads from the members what was written to the
# array.
. "$(dirname "$0")/lib.sh"
[ -e "${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}/kernel/version" ] || skip "there is no kernel for guests: run tests/deps.sh"
command -v mdadm > /dev/null || skip "there is no mdadm"

"$SUPPORT/make-md-members.sh" "$T/md"

members() { find "$T/md" -name "$1.[0-9]" | sort "${@:2}" | paste -sd:; }

compare() { # NAME MEMBERS
  local name=$1 bytes
  bytes=$(sed -n "s/^$1 //p" "$T/md/arrays")
  case $name in *-old) name= ;; *) name=md:$name ;; esac
  HRVM_TEST_MEMBERS=$2 HRVM_TEST_DATA=$T/md/data HRVM_TEST_NAME=$name HRVM_TEST_BYTES=$bytes \
    "$BUILD_DIR/tests/unit_volume" --warn NoTests '[.md]' > "$T/out"
}
is_as_written() { compare "$@" || fail "$1 of $2 reads as something else: $(cat "$T/out")"; }

claim "every kind and version of array shows what was written to it, its members in any order"
for name in mirror mirror-at-start mirror-at-end mirror-old linear linear-old stripes stripes-at-end zones-original \
  zones-alternate; do
  is_as_written $name "$(members $name)"
  is_as_written $name "$(members $name -r)"
done

claim "each member of a mirror bears all of it"
for name in mirror mirror-at-start mirror-at-end mirror-old degraded; do
  for member in "$T/md/$name".[0-9]; do is_as_written $name "$member"; done
done

claim "a layout that is taken for the other is noticed by the comparison, and what is not whole is not read"
! compare zones-original "$(members zones-alternate)" || fail "the comparison finds nothing"
! compare stripes "$T/md/stripes.0:$T/md/stripes.1" || fail "stripes of two members of three are read"
grep -q 'it needs all of its 3 members, and 2 are here' "$T/out" || fail "the reason is not told: $(cat "$T/out")"
! compare raid10 "$(members raid10)" || fail "RAID10 is read"
grep -q "it is of md's kind 'raid10'" "$T/out" || fail "RAID10 is not named: $(cat "$T/out")"

claim "a system on a mirror of two partitions is told by the array, also where one of them is gone"
disk=$T/disk
truncate -s 40M "$disk"
printf 'label: gpt\nstart=1MiB, size=12MiB\nsize=12MiB\n' | sfdisk -q "$disk"
dd if="$T/md/system.0" of="$disk" bs=1M seek=1 conv=notrunc status=none
dd if="$T/md/system.1" of="$disk" bs=1M seek=13 conv=notrunc status=none
expect_status 0 hrvm discover "$disk" --json
assert_json "$T/out" '.disks[0] | [.systems[] | [.root, .pretty]] == [["md:system", "Debian on a mirror"]] and [.findings[].id] == ["no-loader"]'
assert_json "$T/out" '.disks[0].volumes[0] | .path == "md:system" and .kind == "md" and .filesystem == "ext4"'
dd if=/dev/zero of="$disk" bs=1M seek=13 count=12 conv=notrunc status=none
expect_status 0 hrvm discover "$disk" --json
assert_json "$T/out" '.disks[0] | [.systems[].root] == ["md:system"] and [.findings[].id] == ["md-member-missing", "no-loader"]'

claim "two mirrors on two disks that are given together are told once, with the first, and nothing is called missing"
for number in 0 1; do
  disk=$T/disk-$number
  truncate -s 40M "$disk"
  printf 'label: gpt\nstart=1MiB, size=12MiB\nsize=12MiB\n' | sfdisk -q "$disk"
  dd if="$T/md/mirror.$number" of="$disk" bs=1M seek=1 conv=notrunc status=none
  dd if="$T/md/system.$number" of="$disk" bs=1M seek=13 conv=notrunc status=none
done
expect_status 0 hrvm discover "$T/disk-0" "$T/disk-1" --json
assert_json "$T/out" '[.disks[].systems[].root] == ["md:system"]'
assert_json "$T/out" '[.disks[] | [.findings[].id] - ["no-loader"]] == [["disk-set"], ["disk-set"]]'
assert_json "$T/out" '.disks[0].findings | any(.message | contains("array md:system") and contains("lie on several disks"))'
assert_json "$T/out" '.disks[1] | .volumes == [] and .findings[0].severity == "note" and .importable'
