#!/usr/bin/env python3
"""Writes or checks the list of holidays that tests/it/calendar.rs holds touban's own rule against.

    holidays.py FILE FIRST LAST           writes FILE: one line per holiday of the years FIRST to LAST
    holidays.py --check FILE FIRST LAST   exit status 1, and the differing lines, when FILE is not that

The list comes from PyPI's jpholiday, another person's reading of the same law. Where the two only spell a
name differently, SPELLING says how; BETWEEN names its one mistake. Every other difference must fail.
"""

import datetime
import difflib
import sys

import jpholiday

# jpholiday names a substitute after the day it stands for ("元日 振替休日"); the law gives it no name.
SUBSTITUTE = " 振替休日"
SPELLING = {
    "即位の礼正殿の儀": "即位礼正殿の儀",
    "皇太子・明仁親王の結婚の儀": "皇太子明仁親王の結婚の儀",
    "皇太子・皇太子徳仁親王の結婚の儀": "皇太子徳仁親王の結婚の儀",
}

# jpholiday lets days between two holidays begin with 1948. They begin with law no. 103 of 1985, in force
# since 27 December 1985, and the Cabinet Office's own list has none before 4 May 1988: these are left out.
BETWEEN = "国民の休日"
BETWEEN_SINCE = datetime.date(1985, 12, 27)


def spelled(name):
    if name.endswith(SUBSTITUTE):
        return SUBSTITUTE.strip()
    return SPELLING.get(name, name)


def listed(first, last):
    lines = [
        f"# The national holidays of {first} to {last}, written by scripts/lib/holidays.py with",
        f"# jpholiday {version()};"
        " not to be edited by hand.",
    ]
    for year in range(first, last + 1):
        for day, name in jpholiday.year_holidays(year):
            if name != BETWEEN or day >= BETWEEN_SINCE:
                lines.append(f"{day},{spelled(name)}")
    return "\n".join(lines) + "\n"


def version():
    from importlib.metadata import version as of

    return of("jpholiday")


def main(arguments):
    check = arguments[0] == "--check"
    path, first, last = arguments[1:] if check else arguments
    text = listed(int(first), int(last))
    if not check:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    with open(path, encoding="utf-8") as file:
        stored = file.read()
    diff = list(difflib.unified_diff(stored.splitlines(), text.splitlines(), path, "jpholiday", lineterm="", n=0))
    print("\n".join(diff) or f"{path}: {text.count(chr(10)) - 2} holidays, as jpholiday has them")
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
