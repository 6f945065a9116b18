#!/usr/bin/env python3
"""make-package-databases.py CORPUS: writes the databases of rpm that tests replay, sound ones and ones that break their
format in one place each, into CORPUS/sqlite, CORPUS/ndb and CORPUS/rpm_header. A file is named for its lesson and for
what comes of reading it."""

import os
import sqlite3
import struct
import sys
import tempfile
import zlib

TEXT, TEXTS, NUMBERS = 6, 8, 4


def header(*entries):
    """(tag, type, values) each."""
    index, store = b"", b""
    for tag, kind, values in entries:
        if kind == NUMBERS:
            store += b"\0" * (-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), len(values))
        for value in values:
            store += struct.pack(">I", value) if kind == NUMBERS else value.encode() + b"\0"
    return struct.pack(">II", len(entries), len(store)) + index + store


def package(name, version, release, files=(), epoch=None):
    folders = sorted({os.path.dirname(path) + "/" for path in files})
    return header(
        (1000, TEXT, [name]), (1001, TEXT, [version]), (1002, TEXT, [release]),
        *([(1003, NUMBERS, [epoch])] if epoch is not None else []),
        (1022, TEXT, ["noarch"]),
        *([(1116, NUMBERS, [folders.index(os.path.dirname(path) + "/") for path in files]),
           (1117, TEXTS, [os.path.basename(path) for path in files]),
           (1118, TEXTS, folders)] if files else []))


PACKAGES = [
    package("one", "1.0", "1", ["/usr/bin/one", "/lib/one.so"]),
    package("gpg-pubkey", "f1", "2"),
    package("two", "2.0~rc1", "3.el9", ["/usr/share/two/%d" % i for i in range(60)], epoch=1),
] + [package("small%d" % i, "1", "1") for i in range(8)]


def put(data, offset, value):
    return data[:offset] + value + data[offset + len(value):]


def database(statements=(), page_bytes=512, encoding="UTF-8", blobs=PACKAGES):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "db")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA page_size=%d" % page_bytes)
        connection.execute("PRAGMA encoding='%s'" % encoding)
        connection.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        connection.executemany("INSERT INTO Packages(blob) VALUES (?)", [(blob,) for blob in blobs])
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name='Packages'").fetchone()
        connection.close()
        with open(path, "rb") as file:
            return file.read(), root[0] if root else 0


def ladder(number, page_bytes):
    """An interior page whose cells all lead to the page behind it."""
    cells, at = 64, page_bytes - 5
    page = struct.pack(">BHHHBI", 5, 0, cells, at, 0, number + 1) + struct.pack(">H", at) * cells
    return page.ljust(at, b"\0") + struct.pack(">IB", number + 1, 1)


def sqlite_files():
    size = 512
    sound, root = database()
    start = (root - 1) * size
    assert sound[start] == 5, "the root has to be an interior page"
    child = start + struct.unpack_from(">H", sound, start + 12)[0]
    leaf = (struct.unpack_from(">I", sound, child)[0] - 1) * size
    assert sound[leaf] == 13
    last = len(sound) // size
    yield "sound.reads", sound
    yield "pages-of-64-kib.reads", database(page_bytes=65536, blobs=PACKAGES[:1])[0][:131072]
    yield "child-that-is-its-parent.corrupt", put(sound, child, struct.pack(">I", root))
    yield "child-behind-the-end.corrupt", put(sound, child, struct.pack(">I", last + 9))
    yield "root-that-is-an-index.corrupt", put(sound, start, b"\x0a")
    yield "more-cells-than-fit.corrupt", put(sound, leaf + 3, b"\xff\xff")
    yield "cell-behind-its-page.corrupt", put(sound, leaf + 8, b"\xff\xff")
    cell = leaf + struct.unpack_from(">H", sound, leaf + 8)[0]
    yield "row-of-a-gib.corrupt", put(sound, cell, b"\x84\x80\x80\x80\x00")
    long = package("long", "1", "1", ["/usr/share/long/%d" % i for i in range(200)])
    chained = database(blobs=[long])[0]
    # The first page that begins with the number of another, as a page of a tree does not, and goes on.
    page, after = next((at, after) for at in range(size, len(chained), size)
                       for after in struct.unpack_from(">I", chained, at) if 0 < after <= len(chained) // size)
    yield "overflow-of-several-pages.reads", chained
    yield "overflow-of-itself.corrupt", put(chained, page, struct.pack(">I", page // size + 1))
    yield "overflow-that-ends.corrupt", put(chained, page, struct.pack(">I", 0))
    # No page lies above itself, and the ways from the root to the leaf have no number.
    deep = sound[:start] + b"".join(ladder(number, size) for number in range(root, 20)) + put(bytes(size), 0, b"\x0d")
    yield "ways-without-number.corrupt", put(deep, 28, struct.pack(">I", len(deep) // size))
    yield "no-table.corrupt", database(["ALTER TABLE Packages RENAME TO Other"])[0]
    yield "text-for-a-header.corrupt", database(["INSERT INTO Packages(blob) VALUES ('text')"])[0]
    yield "header-that-is-none.corrupt", database(["INSERT INTO Packages(blob) VALUES (x'00')"])[0]
    yield "text-of-16-bits.unsupported", database(encoding="UTF-16le")[0]
    yield "pages-of-0-bytes.corrupt", put(sound, 16, b"\0\0")
    yield "pages-of-3-bytes.corrupt", put(sound, 16, b"\0\x03")
    yield "no-room-in-a-page.corrupt", put(sound, 20, b"\xff")
    yield "no-magic.corrupt", put(sound, 0, b"X")
    yield "cut-in-its-header.corrupt", sound[:60]
    yield "cut-in-the-middle.corrupt", sound[:len(sound) // 2]


def blob(number, data):
    blocks = (16 + len(data) + 12 + 15) // 16
    body = struct.pack("<4sIII", b"BlbS", number, 0, len(data)) + data
    body += b"\0" * (blocks * 16 - len(body) - 12)
    return body + struct.pack("<II4s", zlib.adler32(body), len(data), b"BlbE")


def ndb(blobs, pages=1):
    slots, data = b"", b""
    for number, content in enumerate(blobs, 1):
        each = blob(number, content)
        slots += struct.pack("<4sIII", b"Slot", number, (pages * 4096 + len(data)) // 16, len(each) // 16)
        data += each
    slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((pages * 4096 - 32 - len(slots)) // 16)
    return struct.pack("<4sIIII12x", b"RpmP", 0, 1, pages, len(blobs) + 1) + slots + data


def ndb_files():
    sound = ndb(PACKAGES[:3])
    yield "sound.reads", sound
    yield "two-pages-of-slots.reads", ndb(PACKAGES[:2], pages=2)
    yield "no-packages.reads", ndb([])
    yield "no-magic.corrupt", put(sound, 0, b"X")
    yield "version-1.unsupported", put(sound, 4, b"\1")
    yield "slot-without-magic.corrupt", put(sound, 64, b"X")
    yield "pages-of-slots-without-end.corrupt", put(sound, 12, b"\xff\xff\xff\xff")
    yield "blob-behind-the-end.corrupt", put(sound, 40, b"\xff\xff\xff\x7f")
    yield "blob-of-64-gib.corrupt", put(sound, 44, b"\xff\xff\xff\xff")
    yield "blob-of-another.corrupt", put(sound, 36, b"\x09")
    yield "blob-longer-than-its-blocks.corrupt", put(sound, 4096 + 12, b"\xff\xff")
    yield "slots-of-one-blob.corrupt", sound[:32] + sound[32:48] * 254 + sound[4096:]
    yield "blob-cut.corrupt", sound[:-20]
    yield "cut-in-its-slots.corrupt", sound[:100]


def header_files():
    sound = PACKAGES[2]
    count = struct.unpack_from(">I", sound)[0]
    yield "sound.reads", sound
    yield "empty.corrupt", b""
    yield "index-behind-the-end.corrupt", put(sound, 0, b"\xff\xff\xff\xff")
    yield "store-behind-the-end.corrupt", put(sound, 4, b"\xff\xff\xff\xff")
    yield "cut.corrupt", sound[:-1]
    yield "text-without-end.reads", header((1000, TEXT, ["x"]))[:-1].replace(b"\0\0\0\2", b"\0\0\0\1", 1)
    yield "value-behind-the-store.reads", put(sound, 8 + 8, b"\xff\xff\xff\xff")
    endless = sound
    for entry in range(count - 3, count):
        endless = put(endless, 8 + 16 * entry + 12, b"\xff\xff\xff\xff")
    yield "files-without-end.reads", endless
    yield "folder-that-is-not-there.reads", header(
        (1000, TEXT, ["x"]), (1116, NUMBERS, [7, 0xffffffff]), (1117, TEXTS, ["a", "b"]), (1118, TEXTS, ["/"]))
    yield "numbers-for-a-name.reads", header((1000, NUMBERS, [1, 2, 3]))
    yield "whole-paths.reads", header((1000, TEXT, ["x"]), (1027, TEXTS, ["/bin/x", "/etc/x"]))


for name, files in (("sqlite", sqlite_files), ("ndb", ndb_files), ("rpm_header", header_files)):
    os.makedirs(os.path.join(sys.argv[1], name), exist_ok=True)
    for file_name, content in files():
        with open(os.path.join(sys.argv[1], name, file_name), "wb") as file:
            file.write(content)
