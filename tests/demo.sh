#!/bin/bash
# demo.sh: hrvm at work on a real bootable disk, as a session: each command is shown before it runs. Installs what is
# needed, builds hrvm in build/demo, and works in a temporary folder that it removes.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
top=$PWD

fail() { printf 'demo.sh: %s\n' "$*" >&2; exit 1; }
finish() { end_guests; rm -rf "$T"; }
show() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { show "$@"; "$@"; }
say() { printf '\n# %s\n' "$*"; }

. tests/support/guest.sh
# Not on a tmpfs: hrvm refuses to keep machines there.
T=$(mktemp -d "${TMPDIR:-/var/tmp}/hrvm-demo.XXXXXX")
trap finish EXIT

say 'what is needed, and a build'
run tests/deps.sh
. tests/support/use-ccache.sh
run cmake --preset demo
run cmake --build --preset demo --target hrvm
export PATH=$top/build/demo:$PATH HRVM_STORE=$T/store
cd "$T"

say 'a bootable disk, built on the spot: GPT, BIOS boot partition, ESP, ext4 root, a Debian kernel'
run "$top/tests/support/make-demo-disk.sh" demo.img
run sha256sum demo.img
before=$(sha256sum demo.img)

say 'what is on it, and can it be imported?'
run hrvm discover demo.img
run hrvm import demo.img
run hrvm list

say 'it boots to its login'
run hrvm boot demo --wait-for 'demo login:' --timeout 120

say 'a file changed inside, on the serial console'
show hrvm boot demo --console serial
guest_start demo hrvm boot demo --console serial
guest_login demo
guest_run demo 'echo changed > /etc/motd; sync; cat /etc/motd'
guest_poweroff demo
sed -n '/HRVM-DEMO-READY/,$p' guest-demo/screen | tr -d '\r' | sed 's/\x1b\[[0-9;]*[A-Za-z]//g'

say 'the disk is what it was'
run sha256sum demo.img
[ "$(sha256sum demo.img)" = "$before" ] || fail "the disk has changed"
run hrvm verify demo

say 'keep this state under a name, then go back to the disk as it is'
run hrvm snapshot create demo@changed -m 'with a new motd'
run hrvm snapshot list demo
run hrvm reset demo
run hrvm show demo
run hrvm boot demo --wait-for 'HRVM-DEMO-READY boots=1' --timeout 120

say 'is this host in order?'
run hrvm doctor demo || true
