# What every system test sources first. It gets the binary in HRVM and the build folder in BUILD_DIR.
#
# A test works in $T, which is removed at its end, on a store of its own. What it starts is ended by its process id.
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SUPPORT=$HERE/../support
. "$SUPPORT/guest.sh"

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
skip() { printf 'SKIPPED: %s\n' "$*" >&2; exit 77; }
claim() { printf -- '- %s\n' "$*"; }

[ -x "${HRVM:-}" ] || fail "HRVM must name the hrvm binary"
BUILD_DIR=${BUILD_DIR:-$(dirname "$HRVM")}

# Not on a tmpfs: hrvm refuses to keep machines there.
if [ -z "${TMPDIR:-}" ]; then
  TMPDIR=/tmp
  [ "$(stat -f -c %T /tmp)" != tmpfs ] || TMPDIR=/var/tmp
fi
export TMPDIR
T=$(mktemp -d "$TMPDIR/hrvm-test.XXXXXX")
export HRVM_STORE=$T/store

CLEANUPS=() # commands, run last to first at the end

finish() {
  local status=$? index
  set +e
  end_guests
  for ((index = ${#CLEANUPS[@]} - 1; index >= 0; index--)); do eval "${CLEANUPS[index]}"; done
  [ -n "${KEEP:-}" ] || rm -rf "$T"
  exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# killed_at SYSCALL:N COMMAND...: hrvm is killed before its Nth such call; sets $STATUS, 137 or what it came to before.
killed_at() {
  local moment=$1
  shift
  # In a shell of its own, whose word of the death goes nowhere.
  STATUS=$(
    exec 2> /dev/null
    strace -o /dev/null -e "trace=${moment%:*}" -e "inject=${moment%:*}:signal=SIGKILL:when=${moment#*:}" \
      "$HRVM" "$@" > /dev/null < /dev/null
    echo $?
  ) || true
}
at_end() { CLEANUPS+=("$1"); }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

hrvm() { "$HRVM" "$@"; }

# hrvm_for_others: a copy in $T/bin that every user can run, as the build may lie in somebody's home. Sets $OTHERS_HRVM.
hrvm_for_others() {
  chmod 711 "$T"
  mkdir -p "$T/bin"
  OTHERS_HRVM=$T/bin/hrvm
  cp "$HRVM" "$OTHERS_HRVM"
  chmod 755 "$T/bin" "$OTHERS_HRVM"
}

# --- what is claimed --------------------------------------------------------------------------------------------------

# expect_status STATUS COMMAND...: runs it; its output is in $T/out and $T/err, and in $OUT and $ERR.
expect_status() {
  local expected=$1 status=0
  shift
  "$@" > "$T/out" 2> "$T/err" < /dev/null || status=$?
  OUT=$(tr -d '\0' < "$T/out") ERR=$(tr -d '\0' < "$T/err")
  [ "$status" = "$expected" ] || fail "exit status $status, not $expected: $*
--- stdout
$OUT
--- stderr
$ERR"
}

assert_equal() { # ACTUAL EXPECTED WHAT
  [ "$1" = "$2" ] || fail "$3
--- expected
$2
--- is
$1"
}

assert_contains() { # TEXT WORDS [WHAT]
  [[ $1 == *"$2"* ]] || fail "${3:-the text} does not contain \"$2\":
$1"
}

assert_lacks() { # TEXT WORDS [WHAT]
  [[ $1 != *"$2"* ]] || fail "${3:-the text} contains \"$2\":
$1"
}

# One message for a person: a line that says what failed, no stack trace, no sanitizer's report.
assert_one_message() {
  local count
  count=$(grep -c '^hrvm: ' <<< "$ERR" || true)
  [ "$count" = 1 ] || fail "there should be one message on stderr, there are $count:
$ERR"
  assert_lacks "$ERR" 'terminate called' stderr
  assert_lacks "$ERR" 'Sanitizer' stderr
}

assert_json() { # FILE JQ-CONDITION
  jq -e "$2" "$1" > /dev/null || fail "not so: $2
$(jq . "$1" 2>&1 || cat "$1")"
}

# All that must stay as it was about a base, in one line.
base_identity() { printf '%s %s\n' "$(sha256sum < "$1" | cut -d' ' -f1)" "$(stat -c '%u:%g %a %s %y %z' "$1")"; }

# await SECONDS WHAT COMMAND...: until it succeeds.
await() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$limit" ] || fail "$what"
    sleep 0.1
  done
}

# await_ended PATTERN: until no process has a command line as this.
await_ended() { await 10 "it still runs: $1" none_runs "$1"; }
none_runs() { ! pgrep -f "$1" > /dev/null; }

# hear: something on a port of the host, $PORT, that keeps what it is told in $T/heard.
hear() {
  PORT=$((20000 + RANDOM % 20000))
  busybox nc -l -p "$PORT" > "$T/heard" < /dev/null &
  at_end "end_process $!"
}

# In a guest: an address of QEMU's user network, and a word to the host's loopback address.
TAKE_ADDRESS='ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2'
tell_host() { printf 'echo word | timeout 5 nc -w 3 10.0.2.2 %s' "$PORT"; }

# --- disks ------------------------------------------------------------------------------------------------------------

# demo_disk OUT.img [OPTIONS of make-demo-disk.sh]: a copy of a disk that is built once for all tests.
demo_disk() {
  local out=$1 key cached
  shift
  key=$(printf '%s' "demo$*" | tr -c 'a-z0-9\n' -)
  cached=$BUILD_DIR/demo/$key.img
  mkdir -p "$BUILD_DIR/demo"
  (
    flock 9
    [ "$cached" -nt "$SUPPORT/make-demo-disk.sh" ] || "$SUPPORT/make-demo-disk.sh" "$@" "$cached"
  ) 9> "$BUILD_DIR/demo/$key.lock"
  cp --reflink=auto --sparse=always "$cached" "$out"
  chmod 644 "$out"
}

# root_folder OUT: the root filesystem of a small Debian in a folder. It is fetched once for all tests.
root_folder() {
  local cached=$BUILD_DIR/demo/root-folder.tar
  mkdir -p "$BUILD_DIR/demo" "$1"
  (
    flock 9
    [ "$cached" -nt "$SUPPORT/make-root-folder.sh" ] || "$SUPPORT/make-root-folder.sh" "$cached" 2> "$T/root-folder.log"
  ) 9> "$BUILD_DIR/demo/root-folder.lock" || skip "no Debian could be fetched: $(tail -n 3 "$T/root-folder.log")"
  tar -C "$1" --xattrs --xattrs-include='*' --numeric-owner -xf "$cached"
}

# All that must stay as it was about a folder: every entry's kind, owner, mode, size and times, and every file's content.
folder_identity() {
  (cd "$1" && find . -xdev -printf '%p %y %m %U:%G %s %T@ %C@ %l\n' | sort && find . -xdev -type f -print0 | sort -z \
    | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
}

# The demo disk at $BASE and a machine `demo` on it.
import_demo() { # [OPTIONS of import]
  BASE=$T/demo.img
  [ -e "$BASE" ] || demo_disk "$BASE"
  expect_status 0 hrvm import "$BASE" demo --memory 512M --cpus 1 "$@"
}

# shown LAYER.qcow2: a digest of all that a guest would see.
shown() {
  qemu-img convert -O raw "$1" "$T/shown.raw"
  sha256sum < "$T/shown.raw" | cut -d' ' -f1
}

layers() { find "$HRVM_STORE/$1/layers" -name '*.qcow2' | sort; }
active_layer() { local id; id=$(jq -r .active.layer "$HRVM_STORE/$1/current"); echo "$HRVM_STORE/$1/layers/$id.qcow2"; }

# --- libvirt ----------------------------------------------------------------------------------------------------------

# The test starts again in namespaces of its own: what it mounts and what runs there ends with them.
in_private_host() {
  need_root
  [ -z "${HRVM_PRIVATE_HOST:-}" ] || return 0
  trap - EXIT
  rm -rf "$T"
  unset TMPDIR
  exec env HRVM_PRIVATE_HOST=1 unshare --mount --net --pid --fork --kill-child --mount-proc "$0"
}

start_libvirt() {
  local folder
  cp -a /etc/libvirt "$T/etc-libvirt"
  rm -rf "$T"/etc-libvirt/qemu/{networks/autostart,autostart} "$T"/etc-libvirt/qemu/*.xml
  for folder in /run/libvirt /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
  done
  cp -a "$T/etc-libvirt/." /etc/libvirt/
  virtlogd > "$T/virtlogd.log" 2>&1 &
  at_end "end_process $!"
  libvirtd > "$T/libvirtd.log" 2>&1 &
  libvirtd=$!
  at_end "end_process $libvirtd"
  local limit=$((SECONDS + 30))
  until virsh -c qemu:///system version > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || fail "libvirtd did not come up: $(tail -n 20 "$T/libvirtd.log")"
    sleep 0.2
  done
}

# All kinds of files, owners, modes and attributes.
fill_special() { # FOLDER
  mkdir -m 1777 "$1/special"
  mkfifo "$1/special/fifo"
  mknod "$1/special/console" c 5 1
  mknod -m 640 "$1/special/disk" b 259 70000
  install -m 6755 -o 70000 -g 3000000 /dev/null "$1/special/owned"
  ln "$1/special/owned" "$1/special/linked"
  touch -d '2100-01-02 03:04:05.123456789 UTC' "$1/special/owned"
  python3 - "$1/special" << 'PYTHON'
import os, socket, struct, sys
top = sys.argv[1]
socket.socket(socket.AF_UNIX).bind(top + "/socket")
def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
nobody = 0xffffffff
some = acl((1, 6, nobody), (2, 4, 70000), (4, 4, nobody), (8, 6, 3000000), (16, 6, nobody), (32, 0, nobody))
attributes = {"user.mime_type": b"text/plain", "user.empty": b"", "trusted.note": bytes(range(256)),
              "security.capability": struct.pack("<5I", 0x2000001, 0x400, 0, 0, 0), "system.posix_acl_access": some}
for name, value in attributes.items(): os.setxattr(top + "/owned", name, value)
os.setxattr(top, "system.posix_acl_default", some)
for size in (600, 3000, 20000, 65000):
    path = f"{top}/attribute-of-{size}"
    with open(path, "w"): pass
    try: os.setxattr(path, "user.large", bytes(i * 7 % 251 for i in range(size)))
    except OSError: pass
PYTHON
}
