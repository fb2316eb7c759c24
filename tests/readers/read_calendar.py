"""Reads a calendar feed from standard input with PyPI's icalendar and writes what it understood as JSON. Whatever it
complains about ends this program."""

import json
import sys

from icalendar import Calendar

calendars = Calendar.from_ical(sys.stdin.buffer.read(), multiple=True)
(calendar,) = calendars
broken = [f"{part.name}: {part.errors}" for part in calendar.walk() if part.errors]
if broken:
    sys.exit("\n".join(broken))
for event in calendar.walk("VEVENT"):
    for needed in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "LAST-MODIFIED", "STATUS"):
        if needed not in event:
            sys.exit(f"{event.get('UID')} lacks {needed}")
    zone = event["DTSTART"].dt.tzinfo
    if zone is None or event["DTSTART"].params.get("TZID"):
        sys.exit(f"{event['UID']} begins at no instant")


def millis(moment):
    return int(moment.dt.timestamp() * 1000)


events = [
    {
        "uid": str(event["UID"]),
        "from": millis(event["DTSTART"]),
        "to": millis(event["DTEND"]),
        "summary": str(event["SUMMARY"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "modified": millis(event["LAST-MODIFIED"]),
        "alarms": len(event.walk("VALARM")),
    }
    for event in calendar.walk("VEVENT")
]
print(
    json.dumps(
        {
            "prodid": str(calendar["PRODID"]),
            "version": str(calendar["VERSION"]),
            "method": str(calendar["METHOD"]),
            "name": str(calendar["X-WR-CALNAME"]),
            "events": events,
        },
        ensure_ascii=False,
    )
)
