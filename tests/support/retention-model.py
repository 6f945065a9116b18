#!/usr/bin/env python3
"""Which snapshots stay, by the words of hrvm-snapshot(1) and by other means than hrvm's: sets of groups by label, with
Python's own zones. A machine's life is played through, and each day hrvm has to say the same.

retention-model.py HRVM ZONE DAYS SEED     plays DAYS days, and prunes at the end of each
retention-model.py --list DAYS             a list for --simulate with a snapshot for each quarter of an hour"""
import json, random, subprocess, sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
USUAL = {"frequent": 4, "hourly": 24, "daily": 31, "weekly": 8, "monthly": 12}
ORDER = ["last", "frequent", "hourly", "daily", "weekly", "monthly", "yearly"]


def rfc(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def label(rule, t, zone):
    if rule == "frequent":
        return t.replace(minute=t.minute - t.minute % 15).strftime("%Y-%m-%dT%H:%M")
    if rule == "hourly":
        return t.strftime("%Y-%m-%dT%H")
    wall = t.astimezone(zone)
    week = wall.isocalendar()
    return {"daily": wall.strftime("%Y-%m-%d"), "weekly": f"{week[0]}-W{week[1]:02}",
            "monthly": wall.strftime("%Y-%m"), "yearly": wall.strftime("%Y")}[rule]


def model(snapshots, rules, zone, now):
    """snapshots: (name, time, manual). Gives {name: reasons} of those that stay."""
    stays = {name: {"not made by --auto"} for name, _, manual in snapshots if manual}
    places = {}
    for place, (name, t, manual) in enumerate(snapshots):
        if manual:
            continue
        if (t - now).total_seconds() > 60:
            stays[name] = {"future"}
        else:
            places[t, place] = name
    for rule in ORDER:
        if rule == "last":
            for key in sorted(places)[len(places) - min(len(places), rules.get(rule, 0)):]:
                stays.setdefault(places[key], set()).add("last")
            continue
        groups = {}
        for key in places:
            groups.setdefault(label(rule, key[0], zone), []).append(key)
        newest = {max(keys): name for name, keys in groups.items()}
        for key in sorted(newest, reverse=True)[:rules.get(rule, 0)]:
            stays.setdefault(places[key], set()).add(f"{rule} {newest[key]}")
    return stays


def hrvm_says(hrvm, snapshots, rules, zone, now):
    lines = "".join(f"{name}\t{rfc(t)}{chr(9) + 'manual' if manual else ''}\n" for name, t, manual in snapshots)
    options = [f"--keep-{rule}={count}" for rule, count in rules.items()]
    if rules is USUAL:
        options = []
    words = [hrvm, "snapshot", "prune", "--simulate", "-", "--json", "--timezone", zone, "--now", rfc(now), *options]
    said = json.loads(subprocess.run(words, input=lines, capture_output=True, text=True, check=True).stdout)
    assert said["kept"] + said["removed"] == len(snapshots)
    times = [each["created"] for each in said["snapshots"]]
    assert times == sorted(times, reverse=True), "not the newest first"
    assert all(each["keep"] == bool(each["because"]) for each in said["snapshots"])
    return {each["name"]: set(each["because"]) for each in said["snapshots"] if each["keep"]}


def life(hrvm, zone_name, days, seed):
    chance = random.Random(seed)
    zone = ZoneInfo(zone_name)
    clock = datetime(2025, 10, 1, tzinfo=UTC)
    snapshots, made, compared, jumps = [], 0, 0, 0
    for day in range(days):
        rules = USUAL if day % 3 else {rule: chance.randrange(9) for rule in ORDER} | {"daily": 5}
        step = timedelta(minutes=15) if chance.random() < 0.8 else timedelta(minutes=chance.randrange(1, 200))
        end, ahead = clock + timedelta(days=1), timedelta(0)
        if chance.random() < 0.04:  # the clock is wrong for a part of the day
            ahead = chance.choice([timedelta(days=366), timedelta(hours=3), -timedelta(hours=5), -timedelta(days=40)])
            jumps += 1
        wrong_until = clock + timedelta(hours=chance.randrange(1, 20))
        while clock < end:
            shown = clock + (ahead if clock < wrong_until else timedelta(0))
            if chance.random() < 0.97:
                made += 1
                manual = chance.random() < 0.01
                snapshots.append((f"s{made}", shown, manual))
                if chance.random() < 0.01:
                    made += 1
                    snapshots.append((f"s{made}", shown, False))  # of the same second
            clock += step
        expected = model(snapshots, rules, zone, clock)
        said = hrvm_says(hrvm, snapshots, rules, zone_name, clock)
        if said != expected:
            for name, t, manual in snapshots:
                if said.get(name) != expected.get(name):
                    print(f"day {day}, now {rfc(clock)}, {rules}: {name} of {rfc(t)}: hrvm says {said.get(name)}, "
                          f"the model {expected.get(name)}")
            sys.exit(1)
        compared += len(snapshots)
        if day % 3:  # those of other rules are a question only
            snapshots = [each for each in snapshots if each[0] in expected]
    print(f"{zone_name}: {days} days, {made} snapshots made, {jumps} clocks that were wrong, {compared} verdicts, "
          f"{len(snapshots)} left")


if sys.argv[1] == "--list":
    first = datetime(2025, 10, 1, tzinfo=UTC)
    for i in range(int(sys.argv[2]) * 96):
        t = first + timedelta(minutes=15 * i)
        print(f"auto-{t.strftime('%Y%m%dT%H%M%SZ')}\t{rfc(t)}")
else:
    life(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
