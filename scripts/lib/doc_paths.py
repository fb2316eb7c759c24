"""Checks that every path and link named in README.md and docs/ leads to something in the repository.

Looked at: relative links, and code spans that begin with a folder or file of the repository's top level.
Command lines, glob patterns and placeholders in capitals are left alone; code blocks are not read.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)")
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*/?")


def files(root: Path) -> list[str]:
    """Files git knows or would add: what a fresh clone has. An unpacked archive has no git; there, all files."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True, text=True,
        ).stdout.split("\0")
        return [name for name in listing if name and (root / name).exists()]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if f not in {".git", ".cache", "target", "node_modules"}]
            found += [(Path(folder) / name).relative_to(root).as_posix() for name in names]
        return found


def tracked(root: Path) -> set[str]:
    """The files, and the folders they stand in."""
    known: set[str] = set()
    for name in files(root):
        known.add(name)
        known.update(parent.as_posix() for parent in Path(name).parents)
    return known


def named_in(text: str) -> list[tuple[int, str, bool]]:
    """(line, path, is a link) for everything in the text that claims to be a path."""
    # Blank the code blocks but keep their line breaks, so that the line numbers stay true.
    text = FENCE.sub(lambda block: "\n" * block.group(0).count("\n"), text)
    found = []
    for match in LINK.finditer(text):
        target = unquote(match.group(1).split("#")[0])
        if target and not re.match(r"[a-z][a-z0-9+.-]*:", target):
            found.append((text.count("\n", 0, match.start()) + 1, target, True))
    for match in SPAN.finditer(text):
        span = re.sub(r":\d+$", "", match.group(1))
        if PATH.fullmatch(span):
            found.append((text.count("\n", 0, match.start()) + 1, span, False))
    return found


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    known = tracked(root)
    top = {name.split("/")[0] for name in known} - {"."}
    if "README.md" not in known:
        print("README.md is missing: a newcomer has nowhere to start")
        return 1
    passed = failed = 0
    for document in sorted(name for name in known if name == "README.md" or re.fullmatch(r"docs/.*\.md", name)):
        text = (root / document).read_text(encoding="utf-8")
        for line, path, is_link in named_in(text):
            if is_link:
                # A link is relative to the document, or to the repository when it begins with a slash.
                base = root if path.startswith("/") else (root / document).parent
                wanted = (base / path.lstrip("/")).resolve()
                wanted = wanted.relative_to(root).as_posix() if wanted.is_relative_to(root) else path
            else:
                first, _, rest = path.partition("/")
                if first not in top or (not rest and "." not in first and not path.endswith("/")):
                    continue
                wanted = path.rstrip("/")
            if wanted in known:
                passed += 1
            else:
                failed += 1
                print(f"{document}:{line}: {path} is not in the repository")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
