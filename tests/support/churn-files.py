#!/usr/bin/python3
"""churn-files.py FOLDER SEED [fast]: makes, changes, moves and removes files in FOLDER until it is ended.

What it does provokes what a journal has to get right: blocks of removed folders that become data, data that begins with
the journal's magic, names that change places, files that are cut and grow, and all of it synced at odd moments. With
"fast" it does only what fast commits can tell of, and syncs often, as they come of that alone.
"""
import os
import random
import shutil
import struct
import sys

MAGIC = struct.pack(">I", 0xC03B3998)


def block(chance):
    """4 KiB that look like a block of a journal, or like none."""
    if chance.random() < 0.5:
        return chance.randbytes(4096)
    header = MAGIC + struct.pack(">II", chance.randrange(1, 6), chance.randrange(1, 500))
    return (header + chance.randbytes(1012)) * 4


class Churn:
    def __init__(self, folder, seed):
        self.folder = os.path.join(folder, f"writer-{seed}")
        self.chance = random.Random(seed)
        self.serial = 0
        os.makedirs(self.folder, exist_ok=True)
        self.folders = [self.folder]
        self.files = []

    def fresh(self):
        self.serial += 1
        name = f"{self.serial}-" + "n" * self.chance.randrange(0, 120)
        return os.path.join(self.chance.choice(self.folders), name)

    def some(self):
        return self.chance.choice(self.files) if self.files else self.make()

    def make(self):
        path = self.fresh()
        with open(path, "wb") as file:
            for _ in range(self.chance.choice([0, 1, 1, 2, 5, 40])):
                file.write(block(self.chance))
            file.write(b"x" * self.chance.randrange(0, 3000))
        self.files.append(path)
        return path

    def many(self):
        for _ in range(self.chance.randrange(10, 120)):
            self.make_empty()

    def make_empty(self):
        path = self.fresh()
        open(path, "wb").close()
        self.files.append(path)

    def overwrite(self):
        with open(self.some(), "r+b") as file:
            file.seek(self.chance.randrange(0, 60) * 1024)
            file.write(block(self.chance))
            if self.chance.random() < 0.5:
                file.flush()
                os.fsync(file.fileno())

    def append(self):
        with open(self.some(), "ab") as file:
            file.write(block(self.chance) * self.chance.randrange(1, 9))

    def cut(self):
        os.truncate(self.some(), self.chance.randrange(0, 200_000))

    def move(self):
        old, new = self.some(), self.some() if self.chance.random() < 0.3 else self.fresh()
        os.rename(old, new)
        self.files = [path for path in self.files if path != old]
        if new not in self.files:
            self.files.append(new)

    def remove(self):
        for _ in range(min(len(self.files), self.chance.randrange(1, 30))):
            os.unlink(self.files.pop(self.chance.randrange(len(self.files))))

    def link(self):
        path = self.fresh()
        os.link(self.some(), path)
        self.files.append(path)

    def symlink(self):
        os.symlink("target-" + "t" * self.chance.choice([1, 40, 52, 53, 60, 700]), self.fresh() + ".link")

    def make_folders(self):
        path = self.chance.choice(self.folders)
        for depth in range(self.chance.randrange(1, 5)):
            path = os.path.join(path, f"folder-{self.serial}-{depth}")
            self.serial += 1
            if len(path) > 1500:
                return
            os.mkdir(path)
            self.folders.append(path)

    def remove_folder(self):
        """Its blocks are revoked, and soon the data of files."""
        if len(self.folders) < 2:
            return
        gone = self.chance.choice(self.folders[1:])
        shutil.rmtree(gone)
        inside = gone + "/"
        self.folders = [path for path in self.folders if path != gone and not path.startswith(inside)]
        self.files = [path for path in self.files if not path.startswith(inside)]
        for _ in range(3):
            self.make()

    def owners(self):
        path = self.some()
        os.chmod(path, self.chance.randrange(0o10000))
        os.chown(path, self.chance.randrange(70000), self.chance.randrange(70000))
        os.utime(path, ns=(self.chance.randrange(2**60), self.chance.randrange(2**60)))

    def attribute(self):
        os.setxattr(self.some(), f"user.a{self.chance.randrange(5)}", self.chance.randbytes(self.chance.choice([8, 800])))

    def sync(self):
        descriptor = os.open(self.some(), os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def sync_folder(self):
        descriptor = os.open(self.chance.choice(self.folders), os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def preallocate(self):
        with open(self.some(), "r+b") as file:
            os.posix_fallocate(file.fileno(), self.chance.randrange(60) * 4096, self.chance.randrange(1, 20) * 4096)
            if self.chance.random() < 0.5:
                file.seek(self.chance.randrange(80) * 4096)
                file.write(block(self.chance))

    def mode(self):
        os.chmod(self.some(), self.chance.randrange(0o10000))

    def remove_one(self):
        path = self.some()
        self.files.remove(path)
        os.unlink(path)

    def make_and_sync(self):
        with open(self.make(), "ab") as file:
            os.fsync(file.fileno())

    def step_fast(self):
        self.do([
            (self.make_and_sync, 20), (self.make, 10), (self.overwrite, 12), (self.append, 10), (self.cut, 8),
            (self.move, 8), (self.remove_one, 8), (self.link, 5), (self.make_folders, 2), (self.preallocate, 4),
            (self.mode, 4), (self.sync, 30),
        ])

    def step(self):
        self.do([
            (self.make, 20), (self.many, 2), (self.overwrite, 12), (self.append, 8), (self.cut, 8), (self.move, 12),
            (self.remove, 5), (self.link, 5), (self.symlink, 4), (self.make_folders, 4), (self.remove_folder, 3),
            (self.owners, 6), (self.attribute, 4), (self.sync, 8), (self.sync_folder, 4),
        ])

    def do(self, deeds):
        deed = self.chance.choices([each for each, _ in deeds], [weight for _, weight in deeds])[0]
        try:
            deed()
        except OSError:  # full, or a name too long: make room
            self.remove()
            self.remove_folder()


churn = Churn(sys.argv[1], int(sys.argv[2]))
step = churn.step_fast if sys.argv[3:] == ["fast"] else churn.step
while True:
    step()
