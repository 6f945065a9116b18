#!/bin/bash
# qemu-img 7.2 (Debian 12) cuts off the end of a VHD by the name of the program that made it, and says nothing.
#
# A VHD's footer has the disk's size in bytes, and a geometry of cylinders, heads and sectors that the format's specification
# says how to compute: rounded down, so that it mostly covers less than the disk. Of a footer that bears VirtualBox's name,
# "vbox", QEMU takes the geometry for the size:
#   - of a disk of 32 MiB `qemu-img info` shows 33527808 bytes, which is 52 sectors less;
#   - `qemu-img convert` ends with 0, and what lay in these, a GPT's second copy for example, is not in its result;
#   - the same file with Hyper-V's name, "win ", or read with force_size_calc=current_size, is whole.
# So the size that QEMU shows is held against the footer's before such an image is used.
#
# Needs apt's sources, and qemu-utils' libraries. Ends with 0 while it is so.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
not_so() { echo "it is no longer so: $*" >&2; exit 1; }

apt-get -q=2 download 'qemu-utils=1:7.2+dfsg-7+deb12u18+b3' 2> log || { cat log >&2; exit 2; }
dpkg-deb -x ./*.deb tools
image() { "$work/tools/usr/bin/qemu-img" "$@"; }
image --version | head -n 1

python3 - << 'PYTHON'
import struct

size = 32 << 20
sectors = size // 512
per_track = 17  # the specification's appendix, for a disk of up to some 500 MiB
rest = sectors // per_track
heads = max(4, (rest + 1023) // 1024)
cylinders = rest // heads

def footer(creator):
    fields = struct.pack('>8sIIQI4sI4sQQHBBI', b'conectix', 2, 0x10000, 0xffffffffffffffff, 0, creator, 0x10000,
                         b'Wi2k', size, size, cylinders, heads, per_track, 2)
    fields = fields.ljust(512, b'\0')
    return fields[:64] + struct.pack('>I', ~sum(fields) & 0xffffffff) + fields[68:]

for name, creator in (('vbox.vhd', b'vbox'), ('win.vhd', b'win ')):
    with open(name, 'wb') as image:
        image.truncate(size - 512)
        image.seek(size - 512)
        image.write(b'the last sector'.ljust(512, b'\0') + footer(creator))
PYTHON

shown() { image info --output=json "$@" | sed -n 's/^ *"virtual-size": \([0-9]*\),.*/\1/p'; }
ends_whole() { tail -c 512 "$1" | grep -q 'the last sector'; }
whole=driver=vpc,force_size_calc=current_size,file.driver=file,file.filename=vbox.vhd

echo "--- of 33554432 bytes it shows"
echo "vbox: $(shown -f vpc vbox.vhd)"
echo "win:  $(shown -f vpc win.vhd)"
echo "vbox, with force_size_calc: $(shown --image-opts "$whole")"
[ "$(shown -f vpc vbox.vhd)" = 33527808 ] || not_so "VirtualBox's is cut"
[ "$(shown -f vpc win.vhd)" = 33554432 ] || not_so "Hyper-V's is whole"
[ "$(shown --image-opts "$whole")" = 33554432 ] || not_so "the option has it whole"

image convert -f vpc -O raw vbox.vhd cut.raw > said 2>&1 || not_so "the conversion ends with 0"
image convert -f vpc -O raw win.vhd whole.raw
[ ! -s said ] || not_so "it says nothing"
! ends_whole cut.raw || not_so "the last sector is lost"
ends_whole whole.raw || not_so "Hyper-V's last sector is there"
echo "--- it is so"
