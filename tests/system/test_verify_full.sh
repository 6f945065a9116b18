#!/bin/bash
# verify --full is cut off and goes on where it was, unless the disk was written to since; its report tells all that was
# looked at, and its own hash.
. "$(dirname "$0")/lib.sh"

image=$T/disk.img
truncate -s 1536M "$image" # a hole is hashed without being read
for at in 0 100 900 1500 1535; do dd if=/dev/urandom of="$image" bs=1M count=1 seek="$at" conv=notrunc status=none; done
hash=$(sha256sum < "$image" | cut -d' ' -f1)
touch -d '1 minute ago' "$image"
expect_status 0 hrvm import "$image" web --hash
note=$HRVM_STORE/web/hashing/1

# cut_off: verify is told to end once it has come some way. What it leaves says how far that is.
cut_off() {
  local delay pid status
  for delay in 0.7 1.4 0.4 2.8 0.2 5; do # hosts are fast or slow
    rm -f "$note"
    "$HRVM" verify web --full > /dev/null 2>&1 &
    pid=$! status=0
    sleep "$delay"
    kill -INT "$pid" 2> /dev/null || true
    wait "$pid" || status=$?
    [ -s "$note" ] || continue
    assert_equal "$status" 130 "the exit status"
    OFFSET=$(jq .offset "$note")
    if [ "$OFFSET" -gt 0 ] && [ "$OFFSET" -lt $((1536 << 20)) ]; then return; fi
  done
  fail "it was cut off nowhere in between"
}

read_from() { # prints the lowest offset from which the image was read in pieces of a MiB
  strace -f -e trace=pread64 -o "$T/trace" "$HRVM" verify web --full --json > "$T/out" || fail "$(cat "$T/out")"
  awk -F', ' '/, 1048576, [0-9]+\)/ { split($NF, at, ")"); if (min == "" || at[1] + 0 < min) min = at[1] + 0 } END { print min }' "$T/trace"
}

claim "what was cut off goes on, and comes to the hash of all of it"
cut_off
start=$(ASAN_OPTIONS=detect_leaks=0 read_from)
[ "$start" -ge "$OFFSET" ] || fail "it was cut off at $OFFSET, and read from $start on"
assert_json "$T/out" ".sha256 == \"$hash\" and .verdict == \"unchanged\" and (.summary | startswith(\"unchanged: all\"))"
[ ! -e "$note" ] || fail "what is done is still noted"

claim "a disk that was written to meanwhile is hashed from its start"
cut_off
dd if=/dev/urandom of="$image" bs=4096 count=1 seek=2570 conv=notrunc status=none
expect_status 3 hrvm verify web --full --json
assert_json "$T/out" ".sha256 == \"$(sha256sum < "$image" | cut -d' ' -f1)\" and .verdict == \"changed\""

claim "a note that is damaged, or another disk's, is not believed"
cut_off
hash_now=$(sha256sum < "$image" | cut -d' ' -f1)
for bad in '{' "$(jq -c '.size_bytes += 1' "$note")" "$(jq -c '.offset += 1' "$note")" "$(jq -c '.sha256 = "zz"' "$note")"; do
  printf '%s' "$bad" > "$note"
  expect_status 3 hrvm verify web --full --json
  assert_json "$T/out" ".sha256 == \"$hash_now\""
done

claim "the report tells what was looked at, and is sealed"
expect_status 3 hrvm verify web --full --report "$T/report.txt"
assert_contains "$OUT" "$T/report.txt"
assert_equal "$(head -n -1 "$T/report.txt" | sha256sum | cut -d' ' -f1)" \
  "$(sed -n 's/^SHA-256 of all above: //p' "$T/report.txt")" "the hash of the text"
report=$(cat "$T/report.txt")
for words in 'verdict         changed' "$hash" "$image" "$(uname -r)" 'Evidence' 'disk: sample'; do
  assert_contains "$report" "$words" "the report"
done
expect_status 3 hrvm verify web --full --report "$T/report.json" --json
assert_json "$T/out" ".report == \"$T/report.json\""
assert_json "$T/report.json" ".schema == \"hrvm.verify-report/1\" and .verdict == \"changed\" and .disks[0].sha256_then == \"$hash\"
  and .disks[0].path_now == \"$image\" and (.begun <= .ended) and (.evidence | length > 3) and .machine == \"web\""
assert_equal "$(head -n -2 "$T/report.json" | sha256sum | cut -d' ' -f1)" "$(jq -r .report_sha256 "$T/report.json")" "the hash of the JSON"

claim "no report is replaced, and none goes where it must not be"
expect_status 1 hrvm verify web --report "$T/report.txt"
expect_status 4 hrvm verify web --report "$HRVM_STORE/report.txt"
expect_status 1 hrvm verify web --report "$T/none/report.txt"
expect_status 4 hrvm verify web --report "$image"
