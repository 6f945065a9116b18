#!/bin/bash
# A machine that starts with the host: what set, rename and remove tell systemd, by the real systemctl on folders of the
# test's own; and what the commands of the unit do, by hand.
. "$(dirname "$0")/lib.sh"
need_root
command -v systemctl > /dev/null || skip "needs systemctl"

# In a mount namespace, where systemd's folder and root's store are the test's.
if [ -z "${HRVM_TEST_ALONE:-}" ]; then
  HRVM_TEST_ALONE=1 unshare --mount --propagation private "$0" && exit 0
  exit $?
fi
export SYSTEMD_OFFLINE=1
mkdir -p "$T/etc" "$T/var-lib/hrvm" "$T/system"
mount --bind "$T/var-lib" /var/lib
mount --bind "$T/etc" /etc/systemd/system
HRVM_STORE=/var/lib/hrvm
links() { (cd /etc/systemd/system && find . -name 'hrvm@*' -path '*.wants/*' | sort); }
unit=$T/hrvm@.service
ln -s "$HRVM" "$T/hrvm" # the build's own place may have a space in it, which no unit's program has
sed "s,@HRVM_PROGRAM@,$T/hrvm,g" "$HERE/../../systemd/hrvm@.service.in" > "$unit"
# line KEY: the command of the unit for the machine "demo".
line() { sed -n "s/^$1=-\{0,1\}//p" "$unit" | sed 's/%i/demo/g'; }

claim "the unit is one that systemd takes"
systemd-analyze verify --man=no "$unit" > "$T/out" 2>&1 || fail "$(cat "$T/out")"
assert_lacks "$(cat "$T/out")" "hrvm@" "what systemd says"

claim "without the unit it is said, and what to type; the machine keeps what it was told"
import_demo
expect_status 0 hrvm set demo autostart=on
assert_contains "$ERR" "systemctl enable hrvm@demo.service"
expect_status 0 hrvm doctor demo
assert_contains "$OUT" "hrvm@.service is not installed"

claim "systemd's link comes with autostart=on, follows a rename, and goes with autostart=off or the machine"
cp "$unit" /etc/systemd/system/
expect_status 0 hrvm doctor demo
assert_contains "$OUT" "systemctl enable hrvm@demo.service"
expect_status 0 hrvm set demo autostart=on
assert_lacks "$ERR" "warning"
assert_equal "$(links)" "./multi-user.target.wants/hrvm@demo.service" "the links"
expect_status 0 hrvm doctor demo
assert_contains "$OUT" "ok: autostart"
expect_status 0 hrvm rename demo other
assert_equal "$(links)" "./multi-user.target.wants/hrvm@other.service" "the links"
expect_status 0 hrvm set other autostart=off
assert_equal "$(links)" "" "the links"
expect_status 0 hrvm set other autostart=on
expect_status 0 hrvm import "$BASE" second
expect_status 0 hrvm remove other --yes
assert_equal "$(links)" "" "the links"
systemctl --quiet enable hrvm@gone.service
expect_status 0 hrvm doctor
assert_contains "$OUT" "systemctl disable hrvm@gone.service"

claim "what the unit starts is QEMU itself, whose console is joined; what it stops is that"
import_demo
$(line ExecStart) < /dev/null > "$T/started" 2>&1 &
main=$!
at_end "end_process $main"
uuid=$(jq -r .uuid "$HRVM_STORE/demo/current")
await 60 "it does not run" test -S "/run/hrvm/$uuid/console.sock"
guest_start line "$HRVM" console demo
exec 7<> "$T/guest-line/keys"
guest_wait line "login:"
end_process "$(cat "$T/guest-line/pid")"
assert_contains "$(readlink "/proc/$main/exe")" qemu
assert_equal "$(cat "/run/hrvm/$uuid/pid")" "$main" "the process"
stop=$(line ExecStop)
expect_status 0 env MAINPID= sh -c "$stop"
kill -0 "$main" || fail "it was stopped without a main process"
expect_status 0 env MAINPID="$main" sh -c "$stop"
status=0
wait "$main" || status=$?
assert_equal "$status" 0 "the service's exit status"
expect_status 0 hrvm list --plain
assert_contains "$OUT" "stopped"
