"""Prints the messages of a Maildir, or of a folder of .eml files, as one JSON array, oldest first.

Decoding is Python's: encoded words, base64, quoted-printable and character sets as a mail program reads them, so a
message that only our own decoder understood would not pass here.
"""

import json
import re
import sys
from email import policy
from email.parser import BytesParser
from pathlib import Path

# Up to the first character that is certainly not part of an address; Japanese full stops and brackets are not.
LINK = re.compile(r"https?://[^\s<>\"'「」（）。、]+")


def files(folder: Path) -> list[Path]:
    if (folder / "new").is_dir() or (folder / "cur").is_dir():
        found = [p for part in ("new", "cur") for p in (folder / part).glob("*") if p.is_file()]
    else:
        found = list(folder.rglob("*.eml"))
    return sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name))


def body(message, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return part.get_content().replace("\r\n", "\n") if part is not None else ""


def read(path: Path) -> dict:
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    text, html = body(message, "plain"), body(message, "html")
    hrefs = re.findall(r"href=\"(https?://[^\"]+)\"", html)
    return {
        "file": str(path),
        "from": str(message["From"] or ""),
        "to": [a.addr_spec for a in message["To"].addresses] if message["To"] else [],
        "subject": str(message["Subject"] or ""),
        "messageId": str(message["Message-ID"] or ""),
        "date": str(message["Date"] or ""),
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": text,
        "html": html,
        "links": LINK.findall(text) + [link.replace("&amp;", "&") for link in hrefs],
        "defects": [str(d) for part in message.walk() for d in part.defects],
    }


def main() -> None:
    folder = Path(sys.argv[1])
    messages = []
    for path in files(folder) if folder.is_dir() else []:
        try:
            messages.append(read(path))
        except FileNotFoundError:
            # A mail program moved it from new to cur while we looked; the next look finds it.
            continue
    json.dump(messages, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
