#!/usr/bin/env python3
"""make-hive.py FILE [REG]: a registry hive of Windows; hivexregedit (libhivex) fills it with what REG has.

REG is what a .reg file has behind its first line, with keys from the hive's root: [\\Select]. Keys on the way are made.

The hive starts with the least that the format needs, which is 8 KiB: the base block of 4 KiB ("regf", version 1.5, clean:
both sequence numbers alike, a checksum over its first 508 bytes), then one bin of 4 KiB with the root key's cell, the
cell of the security descriptor that it must name, and one free cell for the rest.
"""
import struct
import subprocess
import sys

FILETIME = (1771027200 + 11644473600) * 10_000_000  # fixed: the same file each time
NONE = 0xFFFFFFFF
ROOT = b"CMI-CreateHive{00000000-0000-0000-0000-000000000000}"


def cell(body):
    size = (4 + len(body) + 7) & ~7
    return struct.pack("<i", -size) + body + b"\0" * (size - 4 - len(body))


def descriptor():
    """Owner and group are Administrators, who may do all; everybody may read."""
    administrators = bytes.fromhex("01020000000000052000000020020000")
    everyone = bytes.fromhex("010100000000000100000000")
    entries = b"".join(struct.pack("<BBHI", 0, 2, 8 + len(sid), mask) + sid
                       for mask, sid in ((0xF003F, administrators), (0x20019, everyone)))
    access = struct.pack("<BBHHH", 2, 0, 8 + len(entries), 2, 0) + entries
    header = struct.pack("<BBHIIII", 1, 0, 0x8004, 20, 20 + len(administrators), 0, 20 + 2 * len(administrators))
    return header + administrators * 2 + access


def checksum(head):
    value = 0
    for (word,) in struct.iter_unpack("<I", head):
        value ^= word
    return {0: 1, NONE: NONE - 1}.get(value, value)


def with_parents(text):
    """hivexregedit makes a key only where its parent is."""
    made = set()
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            names = line[1:-1].strip("\\").split("\\")
            for depth in range(1, len(names)):
                parent = "\\".join(names[:depth])
                if parent.lower() not in made:
                    yield f"[\\{parent}]\n"
                made.add(parent.lower())
            made.add("\\".join(names).lower())
        yield line


key_offset = 0x20
security_offset = key_offset + len(cell(b"\0" * (0x4C + len(ROOT))))
key = struct.pack("<2sHQIIIIIIIIIIIIIIIHH", b"nk", 0x2C, FILETIME, 0, NONE, 0, 0, NONE, NONE, 0, NONE,
                  security_offset, NONE, 0, 0, 0, 0, 0, len(ROOT), 0) + ROOT
security = struct.pack("<2sHIIII", b"sk", 0, security_offset, security_offset, 1, len(descriptor())) + descriptor()
cells = cell(key) + cell(security)
free = 4096 - 0x20 - len(cells)
hive_bin = struct.pack("<4sIIQQI", b"hbin", 0, 4096, 0, FILETIME, 0) + cells + struct.pack("<i", free)
head = struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, FILETIME, 1, 5, 0, 1, key_offset, 4096, 1).ljust(508, b"\0")
with open(sys.argv[1], "wb") as file:
    file.write((head + struct.pack("<I", checksum(head))).ljust(4096, b"\0") + hive_bin.ljust(4096, b"\0"))
if len(sys.argv) > 2:
    with open(sys.argv[2], encoding="utf-8") as file:
        text = "\n".join(with_parents(file.read()))
    subprocess.run(["hivexregedit", "--merge", sys.argv[1], "/dev/stdin"], check=True,
                   input=("Windows Registry Editor Version 5.00\n\n" + text + "\n").encode())
