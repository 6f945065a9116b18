#!/bin/bash
# What a person can get wrong, and what can be wrong with a host: one message, the right exit status, nothing lost.
. "$(dirname "$0")/lib.sh"

# refused STATUS KIND WORDS COMMAND...: fails with one message that says WORDS, and --json tells KIND; the store stays.
refused() {
  local status=$1 kind=$2 words=$3 before
  shift 3
  before=$(contents)
  expect_status "$status" "$@"
  assert_one_message
  assert_contains "$ERR" "$words" "the message"
  expect_status "$status" "$@" --json
  assert_json "$T/err" '.schema == "hrvm.error/1" and (.message | length > 0)'
  assert_equal "$(jq -r .kind "$T/err")" "$kind" "kind of error of: $*"
  assert_equal "$(contents)" "$before" "what is in the store after: $*"
}

contents() {
  [ -e "$HRVM_STORE" ] || return 0
  (cd "$HRVM_STORE" && find . -printf '%p %y %l %m\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum)
}

small_disk() { # FILE: 8 MiB with a partition table
  truncate -s 8M "$1"
  printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$1"
}

small_disk "$T/disk.img"

claim "a source that is no disk"
refused 1 not_found /no/such/disk hrvm import /no/such/disk
mkdir "$T/folder"
kind=permission
[ "$(id -u)" != 0 ] || kind=unsupported
refused 1 $kind "$T/folder" hrvm import "$T/folder"
: > "$T/empty.img"
refused 1 corrupt "$T/empty.img" hrvm import "$T/empty.img"
printf x > "$T/byte.img"
refused 1 corrupt "$T/byte.img" hrvm import "$T/byte.img"
[ ! -e "$HRVM_STORE/empty" ] || fail "a refused import left a folder"

claim "a name that cannot be one"
for name in a/b .. ../x . UPPER "$(printf 'a%.0s' {1..64})"; do
  refused 2 usage name hrvm import "$T/disk.img" "$name"
done

claim "a name that is taken"
expect_status 0 hrvm import "$T/disk.img" taken
refused 1 exists taken hrvm import "$T/disk.img" taken

claim "a word that is nearly right"
expect_status 1 hrvm show takn
assert_contains "$ERR" taken "the hint"
expect_status 2 hrvm improt x
assert_contains "$ERR" import "the hint"
expect_status 2 hrvm import --memroy 1G "$T/disk.img"
assert_contains "$ERR" --memory "the hint"

claim "what asks on a terminal needs --yes elsewhere"
refused 2 usage --yes hrvm remove taken

claim "a machine without its files"
layer=$(active_layer taken)
mv "$layer" "$T/layer"
refused 1 corrupt "$(basename "$layer")" hrvm boot taken --print
refused 1 corrupt "$(basename "$layer")" hrvm reset taken
mv "$T/layer" "$layer"
expect_status 0 hrvm show taken

claim "a definition that is cut off, empty or edited wrongly, and a second machine that is still shown"
expect_status 0 hrvm import "$T/disk.img" other
definition=$(readlink -f "$HRVM_STORE/taken/current")
cp "$definition" "$T/definition"
broken() { # WORDS: the definition as it lies there now is refused, with its file named
  refused 1 corrupt "$1" hrvm show taken
  refused 1 corrupt "$1" hrvm boot taken --print
  refused 1 corrupt "$1" hrvm reset taken
  expect_status 1 hrvm list
  assert_contains "$OUT" other "list"
}
head -c 100 "$T/definition" > "$definition"
broken "$(basename "$definition")"
: > "$definition"
broken "$(basename "$definition")"
jq '.active.layer = "../../../../etc/passwd"' "$T/definition" > "$definition"
broken "$(basename "$definition")"
jq '.hardware[0].memory_bytes = "much"' "$T/definition" > "$definition"
broken memory_bytes
jq '.snapshots = [{"name": "a", "parent": "a", "created": "2024-01-01T00:00:00Z", "description": "",
  "layer": "0123456789abcdef", "nvram": null, "hardware": .active.hardware}]' "$T/definition" > "$definition"
broken "$(basename "$definition")"
cp "$T/definition" "$definition"
expect_status 0 hrvm show taken

claim "a base that is gone or smaller"
mv "$T/disk.img" "$T/away.img"
refused 1 not_found "$T/disk.img" hrvm boot taken --print
expect_status 0 hrvm list
cp "$T/away.img" "$T/disk.img"
truncate -s 4M "$T/disk.img"
refused 4 refused "$T/disk.img" hrvm boot taken --print
rm "$T/disk.img"
mv "$T/away.img" "$T/disk.img"
expect_status 0 hrvm boot taken --print
assert_contains "$ERR" "given another mode, owner, name or time" "what was done to the image"
expect_status 0 hrvm reset taken

claim "a host without QEMU"
mkdir "$T/bin"
refused 1 not_found qemu-system-x86 env PATH="$T/bin" "$HRVM" boot taken --print

claim "an environment without HOME or a terminal"
expect_status 0 env -u HOME TERM=dumb "$HRVM" list
