#!/bin/bash
# Somebody who is not root imports, boots and changes a machine of an image file, in a store of their own, and hands it to
# the libvirt of their session.
. "$(dirname "$0")/lib.sh"
need_root # to become somebody else

readonly SOMEBODY=65534 # nobody: libvirt wants one that has a name
hrvm_for_others
mkdir "$T/home" "$T/run"
demo_disk "$T/demo.img"
chown -R $SOMEBODY:$SOMEBODY "$T"
chmod 700 "$T/run"
chmod 444 "$T/demo.img"
BASE=$T/demo.img
base=$(base_identity "$BASE")
as_somebody() {
  setpriv --reuid=$SOMEBODY --regid=$SOMEBODY --clear-groups \
    env -i PATH="$PATH" LC_ALL=C HOME="$T/home" XDG_RUNTIME_DIR="$T/run" TMPDIR="$T" "$@"
}
mine() { as_somebody "$OTHERS_HRVM" "$@"; }

claim "the store is in the home, and only its owner reads it"
expect_status 0 mine import "$BASE" demo --cpus 1 --memory 512M --classic --allow-low-space
assert_equal "$(stat -c %u "$T"/home/.local/share/hrvm/demo)" $SOMEBODY "the owner of the machine"
assert_equal "$(stat -c %a "$T"/home/.local/share/hrvm/demo/layers/*.qcow2)" 600 "the mode of its layer"

claim "it boots with a network of its own, is changed, and reset"
expect_status 0 mine boot demo --net nat --wait-for "$READY boots=1.*" --timeout 120
expect_status 0 mine snapshot create demo@one
expect_status 0 mine boot demo --wait-for "$READY boots=2.*" --timeout 120
expect_status 0 mine reset demo --discard --yes
expect_status 0 mine boot demo@one --wait-for "$READY boots=2.*" --timeout 120

claim "it runs in the background, under a guard, and takes orders"
expect_status 0 mine boot demo --detach
assert_json <(mine list --json) '.machines[0].state == "running"'
expect_status 0 mine pause demo
expect_status 0 mine resume demo
expect_status 0 mine stop demo --force

claim "the libvirt of the session runs it"
at_end 'kill $(cat "$T"/run/libvirt/{libvirtd,virtlogd}.pid) 2> /dev/null'
expect_status 0 mine boot demo --libvirt
assert_json <(mine list --json) '.machines[0].state == "running" and .machines[0].libvirt.uri == "qemu:///session"'
expect_status 0 mine stop demo --force
assert_json <(mine list --json) '.machines[0].state != "running"'

claim "what only root may is refused with the reason"
expect_status 1 mine boot demo --net bridge=br-none
assert_contains "$ERR" br-none "the message"
truncate -s 64M "$T/secret.img"
chmod 600 "$T/secret.img"
chown root "$T/secret.img"
expect_status 1 mine import "$T/secret.img" secret
assert_one_message
assert_contains "$ERR" secret.img "the message"

claim "nothing is left, and the disk is as it was"
expect_status 0 mine remove demo --yes
assert_equal "$(base_identity "$BASE")" "$base" "the base"
