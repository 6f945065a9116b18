#!/usr/bin/env python3
"""Makes a tree of files, or changes one at random; tells what differs between two mounted states of a filesystem.

random-changes.py make FOLDER FILES SEED
random-changes.py change FOLDER OPERATIONS SEED
random-changes.py told FOLDER            one JSON line for each name: what it is, and of which file
random-changes.py expect OLD NEW         what changed between two of these, as lines to compare: MARK WHAT PATH [FROM]
random-changes.py said JSON OLD NEW      the same of what hrvm diff --noise --json said
"""
import array
import fcntl
import hashlib
import json
import os
import random
import stat
import subprocess
import sys

GET_VERSION = 0x80087601  # FS_IOC_GETVERSION


def data(rng, most=60000):
    return rng.randbytes(rng.choice([0, 1, 100, 4096, 5000, rng.randrange(most)]))


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def make(folder, files, seed):
    rng = random.Random(seed)
    folders = [folder]
    for number in range(max(1, files // 20)):
        parent = rng.choice(folders)
        folders.append(os.path.join(parent, f"d{number}"))
        os.mkdir(folders[-1])
    for number in range(files):
        path = os.path.join(rng.choice(folders), f"f{number}")
        kind = rng.randrange(30)
        if kind == 0:
            os.symlink("to/" + "x" * rng.randrange(1, 200), path)
        elif kind == 1:
            os.mkfifo(path)
        elif kind == 2:
            write(path, b"")
            os.truncate(path, rng.randrange(1, 1 << 24))  # a hole
        else:
            write(path, data(rng))


def names(folder):
    files, folders = [], [folder]
    for here, below, found in os.walk(folder):
        folders += [os.path.join(here, name) for name in below]
        files += [os.path.join(here, name) for name in found]
    return files, folders


def operate(rng, files, folders, number, root):
    """One change. Lists are kept true as far as the next operation needs them."""
    pick = lambda: rng.choice(files)
    regular = lambda path: os.path.isfile(path) and not os.path.islink(path)
    what = rng.randrange(19)
    if what == 0:
        path = os.path.join(rng.choice(folders), f"n{number}")
        write(path, data(rng))
        files.append(path)
    elif what == 1:
        path = pick()
        os.unlink(path)
        files.remove(path)
    elif what in (2, 3, 4):
        path = pick()
        if regular(path) and os.path.getsize(path) > 0:
            before = os.stat(path)
            with open(path, "r+b") as file:
                file.seek(rng.randrange(os.path.getsize(path)))
                file.write(rng.randbytes(rng.choice([1, 10, 5000])))
            if what == 4:
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif what == 5:
        path = pick()
        if regular(path):
            with open(path, "ab") as file:
                file.write(data(rng))
    elif what == 6:
        path = pick()
        if regular(path):
            os.truncate(path, rng.randrange(os.path.getsize(path) + 1))
    elif what == 7:
        path = pick()
        if not os.path.islink(path):
            os.chmod(path, rng.choice([0o600, 0o644, 0o755, 0o4755]))
    elif what == 8:
        os.chown(pick(), rng.randrange(3), rng.randrange(3), follow_symlinks=False)
    elif what == 9:
        path = pick()
        if regular(path):
            os.setxattr(path, "user.test", rng.randbytes(rng.choice([1, 20, 900])))
    elif what == 10:
        path = pick()
        os.utime(path, ns=(10**18, 10**18 + number), follow_symlinks=False)
    elif what == 11:
        old, new = pick(), os.path.join(rng.choice(folders), f"r{number}")
        os.rename(old, new)
        files[files.index(old)] = new
    elif what == 12:  # over one that is there
        old, new = pick(), pick()
        if os.lstat(old).st_ino != os.lstat(new).st_ino:
            os.rename(old, new)
            files.remove(old)
    elif what == 13:
        path = os.path.join(rng.choice(folders), f"l{number}")
        old = pick()
        os.link(old, path, follow_symlinks=False)
        files.append(path)
    elif what == 14:
        path = os.path.join(rng.choice(folders), f"e{number}")
        os.mkdir(path)
        folders.append(path)
    elif what == 15 and len(folders) > 3:  # a folder, with all in it
        old, into = rng.choice(folders[1:]), rng.choice(folders)
        if not (into + "/").startswith(old + "/"):
            new = os.path.join(into, f"m{number}")
            os.rename(old, new)
            moved = lambda path: new + path[len(old):] if (path + "/").startswith(old + "/") else path
            files[:] = map(moved, files)
            folders[:] = map(moved, folders)
    elif what == 16:  # as editors and package managers replace a file
        path = pick()
        if regular(path):
            write(path + ".new", data(rng))
            os.rename(path + ".new", path)
    elif what == 17:  # its number is free for the next one
        path = pick()
        os.unlink(path)
        write(path, data(rng))
    elif what == 18:
        path = pick()
        if os.path.islink(path):  # another number, as the generation of a link cannot be asked for
            os.symlink("other", path + ".new")
            os.rename(path + ".new", path)
        elif regular(path) and rng.randrange(4) == 0:
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.path.getsize(path) + 20000)


def change(folder, operations, seed):
    rng = random.Random(seed)
    files, folders = names(folder)
    files = [each for each in files if "lost+found" not in each]
    folders = [each for each in folders if "lost+found" not in each]
    for number in range(operations):
        operate(rng, files, folders, number, folder)


def generation(path, status):
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return 0
    fd = os.open(path, os.O_RDONLY | os.O_NOATIME)
    try:
        number = array.array("l", [0])
        fcntl.ioctl(fd, GET_VERSION, number)
        return number[0] & 0xFFFFFFFF
    finally:
        os.close(fd)


def content(path, status):
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(os.fsencode(path)).hex()
    if not stat.S_ISREG(status.st_mode):
        return ""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def births(folder):
    """When those were made of which no generation can be asked for."""
    fields = subprocess.run(["find", folder, "!", "-type", "f", "!", "-type", "d", "-printf", "%p\\0%B@\\0"],
                            capture_output=True, check=True).stdout.decode().split("\0")
    return dict(zip(fields[::2], fields[1::2]))


def told(folder):
    born = births(folder)
    for here, below, found in os.walk(folder):
        for name in below + found:
            path = os.path.join(here, name)
            status = os.lstat(path)
            attributes = {key: os.getxattr(path, key, follow_symlinks=False).hex()
                          for key in os.listxattr(path, follow_symlinks=False)}
            print(json.dumps({
                "path": path[len(folder):], "name": name,
                "id": [status.st_ino, born.get(path) or generation(path, status), stat.S_IFMT(status.st_mode)],
                "folder": os.lstat(here).st_ino, "folder_generation": generation(here, os.lstat(here)),
                "mode": stat.S_IMODE(status.st_mode), "owner": [status.st_uid, status.st_gid],
                "size": status.st_size, "content": content(path, status), "xattr": attributes}))


def differs(old, new):
    what = []
    if not stat.S_ISDIR(new["id"][2]) and (old["content"] != new["content"] or
                                           (stat.S_ISREG(new["id"][2]) and old["size"] != new["size"])):
        what.append("target" if stat.S_ISLNK(new["id"][2]) else "content")
    return what + [key for key in ("mode", "owner", "xattr") if old[key] != new[key]]


def read(name):
    return [json.loads(line) for line in open(name)]


def single_names(old, new):
    """By file the names that it lost, and those that it got."""
    key = lambda each: (each["folder"], each["folder_generation"], each["name"], tuple(each["id"]))
    old, new = {key(each): each for each in old}, {key(each): each for each in new}
    gone, come = {}, {}
    for each in (old[k] for k in old.keys() - new.keys()):
        gone.setdefault(tuple(each["id"]), []).append(each)
    for each in (new[k] for k in new.keys() - old.keys()):
        come.setdefault(tuple(each["id"]), []).append(each)
    return gone, come, [(old[k], new[k]) for k in old.keys() & new.keys()]


def line(mark, what, path, origin=""):
    return f"{mark} {','.join(sorted(what))} {path} {origin}".rstrip()


def several(pairs, names):
    """Of a file that lost and got names, and more than one, it cannot be said which became which."""
    return f"{pairs} became others of {sorted(names)}"


def expect(old_file, new_file):
    gone, come, both = single_names(read(old_file), read(new_file))
    result = [line("M", differs(a, b), b["path"]) for a, b in both if differs(a, b)]
    for file in gone.keys() | come.keys():
        went, came = gone.get(file, []), come.get(file, [])
        if len(went) == 1 and len(came) == 1:
            result.append(line("R", differs(went[0], came[0]), came[0]["path"], went[0]["path"]))
        elif went and came:
            result.append(several(min(len(went), len(came)), [each["path"] for each in went + came]))
        else:
            result += [line("-", [], each["path"]) for each in went] + [line("+", [], each["path"]) for each in came]
    print("\n".join(sorted(result)))


def said(file, old_file, new_file):
    gone, come, _ = single_names(read(old_file), read(new_file))
    unclear = {}
    for id in gone.keys() & come.keys():
        if len(gone[id]) + len(come[id]) > 2:
            unclear.update({("-", each["path"]): id for each in gone[id]} | {("+", each["path"]): id for each in come[id]})
    moved, names, result = {}, {}, []
    for each in json.load(open(file))["changes"]:
        what = [word for word in each["what"] if word not in ("times", "links")]
        if each["mark"] == "M" and not what:
            continue
        id = unclear.get(("-" if each["mark"] == "-" else "+", each["path"])) if each["mark"] != "M" else None
        if id is None:
            result.append(line(each["mark"], what, each["path"], each["from"] or ""))
            continue
        moved[id] = moved.get(id, 0) + (each["mark"] == "R")
        names.setdefault(id, []).extend([each["path"]] + ([each["from"]] if each["from"] else []))
    print("\n".join(sorted(result + [several(moved[id], names[id]) for id in names])))


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command in ("make", "change"):
        (make if command == "make" else change)(words[0], int(words[1]), int(words[2]))
    else:
        {"told": told, "expect": expect, "said": said}[command](*words)
