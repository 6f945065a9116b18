#!/usr/bin/python3
"""damage-journal.py IMAGE HOW SEED: damages the journal of an ext4 image that was not closed. Prints what it did.

HOW: block (random bytes over a block of the log), descriptor, commit, revoke (one byte of such a block), zeros (all of
the log from a block on), size (the journal's inode is cut), super (one byte of the journal's superblock that means
something).
"""
import random
import re
import struct
import subprocess
import sys

MAGIC = 0xC03B3998
TYPES = {"descriptor": 1, "commit": 2, "revoke": 5}


class Journal:
    def __init__(self, path):
        self.path = path
        self.file = open(path, "r+b")
        self.file.seek(1024)
        self.block_bytes = 1024 << struct.unpack_from("<I", self.file.read(1024), 24)[0]
        # As in a catastrophe: an image between two writes need have no bitmaps that match their checksums.
        told = self.debugfs("-c", "blocks <8>")
        self.places = [int(number) for number in re.findall(r"\b\d+\b", told)]
        if not self.places:
            sys.exit(f"damage-journal.py: debugfs does not tell where the journal of {self.path} is: {self.complaint}")
        super_block = self.read(0)
        self.blocks, self.first, self.sequence, self.start = struct.unpack_from(">IIII", super_block, 16)

    def debugfs(self, how, request):
        command = ["debugfs", "-n", how, "-R", request, self.path]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        self.complaint = done.stderr.strip()
        return done.stdout

    def read(self, number):
        self.file.seek(self.places[number] * self.block_bytes)
        return self.file.read(self.block_bytes)

    def write(self, number, data):
        self.file.seek(self.places[number] * self.block_bytes)
        self.file.write(data)
        self.file.flush()

    def log(self):
        """The blocks that a replay goes through, and some more: up to the last that names a transaction of this round."""
        number, numbers, length = self.start, [], 0
        for _ in range(self.blocks - self.first):
            numbers.append(number)
            magic, kind, sequence = struct.unpack_from(">III", self.read(number))
            if magic == MAGIC and kind in (1, 2, 5) and 0 <= sequence - self.sequence < 10000:
                length = len(numbers)
            number = number + 1 if number + 1 < self.blocks else self.first
        return numbers[:length]

    def flip(self, number, offset, chance):
        data = bytearray(self.read(number))
        data[offset] ^= 1 << chance.randrange(8)
        self.write(number, data)


def damage(journal, how, chance):
    log = journal.log()
    if how in TYPES:
        def is_one(number):
            return struct.unpack_from(">II", journal.read(number)) == (MAGIC, TYPES[how])
        numbers = [number for number in log if is_one(number)]
        if not numbers:
            return "nothing: there is no such block"
        number, offset = chance.choice(numbers), chance.choice([chance.randrange(64), chance.randrange(journal.block_bytes)])
        journal.flip(number, offset, chance)
        return f"byte {offset} of block {number} of the journal"
    if how == "block":
        number = chance.choice(log)
        journal.write(number, chance.randbytes(journal.block_bytes))
        return f"block {number} of the journal"
    if how == "zeros":
        at = chance.randrange(len(log))
        for number in log[at:]:
            journal.write(number, bytes(journal.block_bytes))
        return f"{len(log) - at} of {len(log)} blocks from {log[at]} on"
    if how == "size":
        size = chance.randrange(journal.blocks) * journal.block_bytes
        journal.debugfs("-w", f"sif <8> size {size}")
        return f"its size is {size}"
    offset = chance.choice([0, 3, 7, 15, 19, 23, 27, 31, 39, 43, 47, 80, 252])
    journal.flip(0, offset, chance)
    return f"byte {offset} of its superblock"


print(damage(Journal(sys.argv[1]), sys.argv[2], random.Random(sys.argv[3])))
