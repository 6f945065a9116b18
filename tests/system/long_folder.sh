#!/bin/bash
# A folder with a Debian in it as a machine: it boots by virtiofs, the folder stays as it was, and reset, snapshots and a
# throw-away boot do what they do for a disk.
. "$(dirname "$0")/lib.sh"
need_root
command -v mmdebstrap > /dev/null || skip "needs mmdebstrap"
[ -x /usr/libexec/virtiofsd ] || [ -x /usr/lib/qemu/virtiofsd ] || skip "needs virtiofsd"

ROOT=$T/root
root_folder "$ROOT"
before=$(folder_identity "$ROOT")
at_end 'hrvm stop web --force > /dev/null 2>&1'
at_end 'hrvm stop direct --force > /dev/null 2>&1'

# Those of this store's machines alone.
companions() {
  local machine
  for machine in "$HRVM_STORE"/*/current; do
    pgrep -f "^[^ ]*virtiofsd .*source=/run/hrvm/$(jq -r .uuid "$machine")" || true
  done
  pgrep -f "^[^ ]*virtiofsd .*source=$ROOT" || true
}
await_no_virtiofsd() {
  local limit=$((SECONDS + 10))
  while [ -n "$(companions)" ]; do
    [ "$SECONDS" -lt "$limit" ] || fail "virtiofsd still runs: $(ps -o args= -p "$(companions | head -n 1)")"
    sleep 0.1
  done
}
upper() { echo "$HRVM_STORE/web/layers/$(jq -r .active.layer "$HRVM_STORE/web/current").folder/upper"; }

# boots GUEST OPTIONS... -- COMMAND...: what the commands do is there, and the guest ends by itself.
guest_does() {
  local words=() command
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  guest_start web "$HRVM" boot "${words[@]}" --console serial
  guest_login web
  for command in "$@"; do guest_run web "$command"; done
  guest_type web 'sync; poweroff -f'
  guest_ended web 60
}

claim "a folder that holds no root filesystem is refused, and so is a store in the folder itself"
mkdir "$T/empty"
expect_status 1 hrvm import "$T/empty" web
assert_one_message
assert_contains "$ERR" "holds no root filesystem"
expect_status 4 hrvm --store "$ROOT/store" import "$ROOT" web
assert_contains "$ERR" "the store lies in"
[ ! -e "$ROOT/store" ] || fail "it made a store there"

claim "a folder becomes a machine"
expect_status 0 hrvm import "$ROOT" web --memory 512M --cpus 1
expect_status 0 hrvm show web --json
assert_json "$T/out" '.machines[0] | .base.kind == "folder" and .base.drift == "none" and (.system | startswith("Debian"))'

claim "it boots to a login although its initramfs knows no virtiofs, and what it writes lies in its layer"
guest_does web -- 'grep -q "hrvm / virtiofs" /proc/mounts' 'echo first > /root/mark; rm /etc/motd; sync' \
  'mkdir /srv/made; mv /etc/issue /etc/was-issue; echo other > /etc/hostname; sync'
assert_equal "$(cat "$(upper)/root/mark")" first "what the guest wrote"
[ -c "$(upper)/etc/motd" ] || fail "no whiteout stands for what the guest deleted"
await_no_virtiofsd

claim "diff tells what the guest changed: added, deleted, renamed, changed; and leaves all as it is"
held=$(folder_identity "$(upper)")
expect_status 0 hrvm diff web --plain
for line in "+	file	/root/mark" "-	file	/etc/motd" "+	dir	/srv/made" "M	file	/etc/hostname" \
  "R	file	/etc/was-issue	/etc/issue"; do
  assert_contains "$OUT" "$line"
done
assert_lacks "$OUT" "/usr/bin"
all=$OUT
expect_status 0 hrvm diff web --plain
assert_equal "$OUT" "$all" "the second diff"
assert_equal "$(folder_identity "$(upper)")" "$held" "the layer"

claim "the folder is as it was, and nothing is mounted"
assert_equal "$(folder_identity "$ROOT")" "$before" "the folder"
assert_lacks "$(cat /proc/mounts)" "$T" "the mounts"

claim "a snapshot keeps it, and a throw-away boot of the snapshot sees it and leaves no trace"
expect_status 0 hrvm snapshot create web@one
expect_status 0 hrvm diff web@one web
assert_contains "$OUT" "Nothing changed"
guest_does web@one -- 'grep first /root/mark' '! [ -e /etc/motd ]' 'echo gone > /root/gone'
await_no_virtiofsd
expect_status 0 hrvm list
assert_equal "$(ls "$HRVM_STORE/web/tmp")" "" "throw-away folders"
[ ! -e "$(upper)/root/gone" ] || fail "a throw-away boot was kept"

claim "a machine that is killed leaves nothing behind, and is not taken to run"
expect_status 0 hrvm boot web --detach
expect_status 1 hrvm boot web --detach
assert_contains "$ERR" "is running already"
expect_status 1 hrvm snapshot create web@two
kill -9 "$(cat "/run/hrvm/$(jq -r .uuid "$HRVM_STORE/web/current")/pid")"
await_no_virtiofsd
await 20 "it is taken to run" eval '[[ $(hrvm list --plain) == *stopped* ]]'

claim "reset starts over from the folder, undo takes that back, and a deleted snapshot stays with what lies on it"
expect_status 0 hrvm reset web
[ ! -e "$(upper)/root/mark" ] || fail "the reset left a file"
expect_status 0 hrvm diff web
assert_contains "$OUT" "Nothing changed"
expect_status 0 hrvm undo web
expect_status 0 hrvm snapshot delete web@one --discard --yes
assert_equal "$(cat "$(upper)/root/mark")" first "what the guest wrote"
[ -c "$(upper)/etc/motd" ] || fail "the whiteout is lost"

claim "what is no disk is not exported"
expect_status 1 hrvm export web "$T/web.qcow2"
assert_one_message

claim "what --print prints runs as it is pasted, is known to run, and ends as a whole"
expect_status 0 hrvm boot web --print
assert_equal "$(wc -l < "$T/out")" 2 "lines"
guest_start pasted sh -c "$OUT"
guest_login pasted
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines[] | select(.name == "web") | .state == "running" and .pid != null'
expect_status 1 hrvm reset web
expect_status 0 hrvm stop web --force
await_no_virtiofsd
expect_status 0 hrvm show web --json
assert_json "$T/out" '.machines[0].state == "stopped"'

claim "a folder that was written to is told, and not booted"
assert_equal "$(folder_identity "$ROOT")" "$before" "the folder"
touch "$ROOT/etc/changed"
expect_status 3 hrvm verify web
assert_contains "$OUT" "etc"
expect_status 4 hrvm boot web
assert_contains "$ERR" "has changed under the layers"
rm "$ROOT/etc/changed"

claim "while linked clones of a folder run, no guest is let write to it, and none of them while one does"
expect_status 0 hrvm import "$ROOT" direct --direct --memory 512M --cpus 1
for clone in one two; do
  expect_status 0 hrvm import "$ROOT" "$clone" --memory 512M --cpus 1
  at_end "hrvm stop $clone --force > /dev/null 2>&1"
  expect_status 0 hrvm boot "$clone" --detach
done
expect_status 1 hrvm boot direct --detach --force
assert_contains "$ERR" "$ROOT is in use by virtiofsd (process "
for clone in one two; do expect_status 0 hrvm stop "$clone" --force; done
await_no_virtiofsd
expect_status 0 hrvm boot direct --detach
expect_status 4 hrvm boot one --detach
assert_contains "$ERR" "$ROOT is in use for writing"
expect_status 1 hrvm boot one --detach --force
assert_contains "$ERR" "$ROOT is in use by virtiofsd (process "
expect_status 0 hrvm stop direct --force
await_no_virtiofsd

claim "with --direct the guest writes to the folder itself"
guest_start direct "$HRVM" boot direct --console serial
guest_login direct
guest_run direct 'echo second > /root/mark; sync'
expect_status 4 hrvm boot one --detach
guest_type direct 'sync; poweroff -f'
guest_ended direct 60
assert_equal "$(cat "$ROOT/root/mark")" second "what the guest wrote"
expect_status 1 hrvm reset direct
assert_contains "$ERR" "writes to $ROOT itself"
