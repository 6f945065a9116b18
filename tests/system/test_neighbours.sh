#!/bin/bash
# What one machine does to another: nothing. A store in a machine's folder, a layer that is another machine's base, and
# damage that a merge would hide.
. "$(dirname "$0")/lib.sh"

truncate -s 8M "$T/disk.img"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$T/disk.img"
for machine in one two; do expect_status 0 hrvm import "$T/disk.img" "$machine"; done
contents() { (cd "$HRVM_STORE" && find . -type f -print0 | sort -z | xargs -0 sha256sum); }

claim "a store in a machine's folder is refused, and no machine goes there"
before=$(contents)
for place in one/sub one/layers two "two/not there yet"; do
  expect_status 4 hrvm move one "$HRVM_STORE/$place"
  expect_status 4 hrvm move one "$HRVM_STORE/$place" --dry-run
  expect_status 4 hrvm import "$T/disk.img" three --store "$HRVM_STORE/$place"
  assert_one_message
done
assert_equal "$(contents)" "$before" "the store"

claim "a layer that another machine lies on is not removed"
expect_status 0 hrvm snapshot create one@kept
qemu-io -c 'write -P 5 1M 64k' "$(active_layer one)" > /dev/null
layer=$HRVM_STORE/one/layers/$(jq -r '.snapshots[0].layer' "$HRVM_STORE/one/current").qcow2
expect_status 0 hrvm import "$layer" onlayer
for change in 'snapshot delete one@kept --discard --yes' 'remove one --yes' 'remove one --dry-run'; do
  expect_status 4 hrvm $change
  assert_one_message
  assert_contains "$ERR" 'the machine onlayer lies on a layer of one' "the message of: $change"
done
expect_status 0 hrvm boot onlayer --print
expect_status 0 hrvm remove onlayer --yes
expect_status 0 hrvm snapshot delete one@kept --discard --yes

claim "a snapshot that was written to by somebody else is not merged into what is sound"
expect_status 0 hrvm snapshot create two@kept
layer=$HRVM_STORE/two/layers/$(jq -r '.snapshots[0].layer' "$HRVM_STORE/two/current").qcow2
qemu-io -c 'write -P 170 2M 64k' "$layer" > /dev/null
before=$(shown "$(active_layer two)")
expect_status 1 hrvm snapshot delete two@kept --discard --yes
assert_contains "$ERR" 'two@kept is damaged' "the message"
assert_equal "$(shown "$(active_layer two)")" "$before" "what two shows"
expect_status 3 hrvm verify two --layers
