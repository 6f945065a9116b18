#!/bin/bash
# Folders of the host in a guest: what is written here is read there, and back where the guest may write; nothing is left
# behind; what would lead to a base or the store is refused.
. "$(dirname "$0")/lib.sh"
need_root
[ -x /usr/libexec/virtiofsd ] || [ -x /usr/lib/qemu/virtiofsd ] || skip "needs virtiofsd"

demo_disk "$T/demo.img" --virtiofs
import_demo
base=$(base_identity "$BASE")
uuid=$(jq -r .uuid "$HRVM_STORE/demo/current")
mkdir -p "$T/data/below" "$T/www" "$T/mounted"
echo "from the host" > "$T/data/file"
echo below > "$T/mounted/file"
mount --bind "$T/mounted" "$T/data/below"
at_end 'umount "$T/data/below"'
at_end 'hrvm stop demo --force > /dev/null 2>&1'
companions() { pgrep -af "^[^ ]*virtiofsd .*source=/run/hrvm/$uuid" | grep -o 'source=[^ ]*' | sort -u || true; }
await_no_companions() { await 10 "virtiofsd still runs" eval '[ -z "$(companions)" ]'; }

claim "what leads to the base or the store is refused"
expect_status 4 hrvm set demo "share=$T:all,rw"
assert_contains "$ERR" "the store"
mkdir "$T/images" && cp --reflink=auto --sparse=always "$BASE" "$T/images/other.img"
expect_status 0 hrvm import "$T/images/other.img" other
expect_status 4 hrvm boot demo --print --share-folder "$T/images:images,rw"
assert_contains "$ERR" "$T/images/other.img, the base of other"

claim "a guest reads a folder, also after a restart in the same QEMU, and writes to one where it may"
expect_status 0 hrvm set demo "share=$T/data:data" "share=$T/www:www,rw"
expect_status 0 hrvm boot demo --detach --wait-for "login:" --timeout 120
assert_contains "$ERR" "mount -t virtiofs data /mnt"
assert_equal "$(companions | wc -l)" 2 "companions"
in_guest() {
  guest_start line "$HRVM" console demo
  exec 7<> "$T/guest-line/keys"
  guest_type line ''
  guest_login line
  mounted='mkdir -p /mnt/data /mnt/www && mount -t virtiofs data /mnt/data && mount -t virtiofs www /mnt/www'
  guest_run line "$mounted"
  guest_run line 'grep "from the host" /mnt/data/file'
}
in_guest
guest_run line '! touch /mnt/data/file && ! rm /mnt/data/file && ! echo more > /mnt/data/new'
guest_run line '[ -z "$(ls /mnt/data/below)" ]'
guest_run line 'echo "from the guest" > /mnt/www/file && sync'
assert_equal "$(cat "$T/www/file")" "from the guest" "what the guest wrote"
assert_equal "$(cat "$T/data/file")" "from the host" "the folder"
echo changed > "$T/data/file"
guest_run line 'sleep 2; grep changed /mnt/data/file'
echo "from the host" > "$T/data/file"
end_process "$(cat "$T/guest-line/pid")"
expect_status 0 hrvm restart demo --force
in_guest
assert_equal "$(companions | wc -l)" 2 "companions"
end_process "$(cat "$T/guest-line/pid")"

claim "virtiofsd ends with QEMU, whatever that ends by, and nothing stays mounted"
expect_status 0 hrvm stop demo --force
await_no_companions
expect_status 0 hrvm boot demo --detach
kill -9 "$(cat "/run/hrvm/$uuid/pid")"
await_no_companions
assert_lacks "$(cat /proc/mounts)" "/run/hrvm/$uuid" "the mounts"

claim "a boot without them has none, and what --print prints runs as it is pasted"
expect_status 0 hrvm boot demo --print --share-folder none
assert_equal "$(wc -l < "$T/out")" 1 "lines"
expect_status 0 hrvm boot demo --print --console serial --share-folder "$T/mounted:more"
assert_equal "$(wc -l < "$T/out")" 2 "lines"
guest_start pasted sh -c "$OUT"
guest_login pasted
guest_run pasted 'mkdir -p /mnt/more && mount -t virtiofs more /mnt/more && grep below /mnt/more/file'
guest_run pasted 'mkdir -p /mnt/data && mount -t virtiofs data /mnt/data && grep host /mnt/data/file'
expect_status 0 hrvm stop demo --force
await_no_companions

claim "a folder that has gone is told before QEMU starts, with how to boot without"
mv "$T/www" "$T/elsewhere"
expect_status 1 hrvm boot demo --detach
assert_contains "$ERR" "the folder to share is missing: $T/www"
assert_contains "$ERR" "hrvm set demo share=-www"
expect_status 0 hrvm set demo share=-www
assert_equal "$(companions)" "" "companions"

claim "the base is as it was"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
