"""Writes the lists of the eighty invented people with addresses of one run: a workbook and a file in Shift_JIS.

    python3 lists.py MARK FOLDER

Their addresses end in `@aoba.example.jp`, which no mail server of the tests takes; here they become
`memberN.MARK@example.jp`. Nothing else of the lists is touched, and they stay as offices keep them.
"""

import sys
import zipfile
from pathlib import Path

DATA = Path(__file__).parent.parent / "it" / "data"
OLD = "@aoba.example.jp"


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def main() -> None:
    mark, folder = sys.argv[1], Path(sys.argv[2])
    new = f".{mark}@example.jp"
    changed = 0
    with zipfile.ZipFile(DATA / "members.xlsx") as old, zipfile.ZipFile(folder / "members.xlsx", "w") as book:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "xl/sharedStrings.xml":
                text = content.decode()
                changed = text.count(OLD) + text.count(wide(OLD))
                content = text.replace(OLD, new).replace(wide(OLD), wide(new)).encode()
            book.writestr(part, content)
    text = (DATA / "members-later.csv").read_bytes().decode("cp932")
    (folder / "members-later.csv").write_bytes(text.replace(OLD, new).encode("cp932"))
    if changed != 80 or text.count(OLD) < 80:
        sys.exit(f"the lists have changed: {changed} addresses in the workbook, {text.count(OLD)} in the file")


main()
