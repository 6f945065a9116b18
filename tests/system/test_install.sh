#!/bin/bash
# The release build, as it is installed: one binary that needs libc (with its libm) only, its man pages and completions.
. "$(dirname "$0")/lib.sh"

RELEASE=${HRVM_RELEASE_DIR:-$BUILD_DIR/../release}
[ -x "$RELEASE/hrvm" ] || skip "there is no release build"

claim "only libc is shared"
needed=$(objdump -p "$RELEASE/hrvm" | awk '/NEEDED/ { print $2 }' | grep -vE '^(libc|libm|ld-linux-x86-64)\.so' || true)
assert_equal "$needed" "" "shared libraries other than libc's"

claim "stripped it is under 6.6 MB"
strip -o "$T/stripped" "$RELEASE/hrvm"
size=$(stat -c %s "$T/stripped")
[ "$size" -lt 6600000 ] || fail "it has $size bytes"

claim "cmake --install puts everything where Debian expects it"
DESTDIR=$T/root cmake --install "$RELEASE" --prefix /usr > "$T/log" || fail "$(cat "$T/log")"
for file in usr/bin/hrvm usr/share/man/man1/hrvm.1 usr/share/man/man1/hrvm-import.1 \
  usr/share/bash-completion/completions/hrvm usr/share/zsh/vendor-completions/_hrvm \
  usr/share/fish/vendor_completions.d/hrvm.fish; do
  [ -s "$T/root/$file" ] || fail "$file is not installed: $(cd "$T/root" && find . -type f)"
done
assert_contains "$(cat "$T/root/usr/lib/systemd/system/hrvm@.service")" "ExecStart=/usr/bin/hrvm boot %i" "the unit"
assert_contains "$(cat "$T/root/usr/lib/systemd/system/hrvm-snapshot.service")" "ExecStart=/usr/bin/hrvm snapshot auto" "the unit"
[ -s "$T/root/usr/lib/systemd/system/hrvm-snapshot.timer" ] || fail "the timer is not installed"
expect_status 0 "$T/root/usr/bin/hrvm" --version

claim "it does the job outside the build folder"
truncate -s 4M "$T/disk.img"
expect_status 0 "$T/root/usr/bin/hrvm" import "$T/disk.img" blank
assert_contains "$ERR" warning "stderr of a blank disk's import"
expect_status 0 "$T/root/usr/bin/hrvm" boot blank --print
