#!/bin/bash
# After blockdev-snapshot QEMU 7.2 (Debian 12) keeps the file of the layer that is frozen open for writing, where that file
# is a node of its own.
#
# A qcow2 image is attached by two nodes, as -blockdev is mostly used, and by QMP a new one put on it (blockdev-add with
# "backing": null, then blockdev-snapshot). What the guest writes goes to the new one from then on; query-named-block-nodes
# calls the old one read-only. Of a file that was described within the node of its format that is all there is to it. Yet
# here
#   - the file of the old one is still open with O_RDWR, by /proc/PID/fdinfo;
#   - blockdev-reopen of the file node alone with read-only opens it with O_RDONLY.
# So who takes the right to write away from such a layer, as a snapshot is to stay as it is, has its file reopened as well.
#
# Needs apt's sources, python3, and the libraries of qemu-system-x86. Ends with 0 while it is so.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d /var/tmp/finding.XXXXXX)
qemu=
finish() {
  [ -z "$qemu" ] || kill "$qemu" 2> /dev/null || true
  rm -rf "$work"
}
trap finish EXIT
cd "$work"
not_so() { echo "it is no longer so: $*" >&2; exit 1; }

version=1:7.2+dfsg-7+deb12u18+b3
for package in qemu-utils qemu-system-common qemu-system-x86; do
  apt-get -q=2 download "$package=$version" 2> log || { cat log >&2; exit 2; }
done
for package in ./*.deb; do dpkg-deb -x "$package" tools; done
bin=$work/tools/usr/bin
export QEMU_MODULE_DIR=$work/tools/usr/lib/x86_64-linux-gnu/qemu
"$bin/qemu-system-x86_64" --version | head -n 1

"$bin/qemu-img" create -q -f qcow2 old 64M
"$bin/qemu-img" create -q -f qcow2 -b old -F qcow2 new
file() { printf '{"driver":"file","node-name":"%s-file","filename":"%s"}' "$1" "$work/$1"; }
"$bin/qemu-system-x86_64" -machine none -nodefaults -display none -qmp "unix:$work/qmp,server=on,wait=off" \
  -blockdev "$(file old)" -blockdev '{"driver":"qcow2","node-name":"old","file":"old-file"}' > said 2>&1 &
qemu=$!
for ((i = 0; i < 100; i++)); do [ -S qmp ] && sleep 0.5 && break; sleep 0.1; done
kill -0 "$qemu" 2> /dev/null || { cat said >&2; exit 2; }

order() { # JSON...
  python3 - "$@" << 'PYTHON'
import json, socket, sys
control = socket.socket(socket.AF_UNIX)
control.connect('qmp')
lines = control.makefile('rw')
lines.readline()
for order in ['{"execute": "qmp_capabilities"}', *sys.argv[1:]]:
    print(order, file=lines, flush=True)
    while 'event' in (answer := json.loads(lines.readline())):
        pass
    if 'error' in answer:
        sys.exit(answer['error']['desc'])
print(json.dumps(answer['return']))
PYTHON
}
access_of() { # FILE: 0 read-only, 2 both
  local fd
  for fd in /proc/"$qemu"/fd/*; do
    [ "$(readlink "$fd")" = "$work/$1" ] || continue
    sed -n 's/^flags:.*\([0-9]\)$/\1/p' "/proc/$qemu/fdinfo/${fd##*/}"
  done | sort -un | tail -n 1
}

order "{\"execute\": \"blockdev-add\", \"arguments\": $(file new)}" \
  '{"execute": "blockdev-add", "arguments": {"driver": "qcow2", "node-name": "new", "file": "new-file", "backing": null}}' \
  '{"execute": "blockdev-snapshot", "arguments": {"node": "old", "overlay": "new"}}' > /dev/null
nodes=$(order '{"execute": "query-named-block-nodes", "arguments": {"flat": true}}')
is_read_only=$(python3 -c 'import json, sys; print(*[n["ro"] for n in json.loads(sys.argv[1]) if n["node-name"] == "old"])' "$nodes")
echo "--- the frozen layer is read-only: $is_read_only; its file's access mode: $(access_of old)"
[ "$(access_of old)" = 2 ] || not_so "its file is open for writing"

order "{\"execute\": \"blockdev-reopen\", \"arguments\": {\"options\": [{\"driver\": \"file\", \"node-name\": \"old-file\", \"filename\": \"$work/old\", \"read-only\": true, \"auto-read-only\": false}]}}" > /dev/null
echo "--- reopened, its file's access mode: $(access_of old)"
[ "$(access_of old)" = 0 ] || not_so "a reopened file is read-only"
echo "--- it is so"
