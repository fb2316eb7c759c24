#!/usr/bin/env python3
"""A telephone company on loopback, for tests: SIP over UDP, sound over RTP, keys in three ways. No root, no library.

    carrier.py PORT PBX_HOST:PBX_PORT

Every phone behind PORT is ours. What the tests want is one JSON object per line on standard input, what happens one per
line on standard output; the tests wait for what happens and never for time. A phone that the PBX rings is named by its
number; one that calls the PBX has the name it was given.

    {"do":"behave","number":N,"as":HOW, ...}    before it is rung. HOW: "ring" (until told otherwise), "answer",
                                                "voicemail" (answers and speaks), "busy", "decline", "unallocated",
                                                "dead" (no reply at all). Beside it: "after_ms" until it answers,
                                                "tone" its voice in Hz, "via" how it sends keys, "keys" to press
                                                "keys_after_ms" after somebody began to speak to it
    {"do":"call","phone":P,"from":N or null,"to":N}   rings the PBX; null: the number is withheld
    {"do":"answer","phone":P}   {"do":"hang_up","phone":P}   {"do":"vanish","phone":P}   (without a word)
    {"do":"keys","phone":P,"keys":"1234#"}
    {"do":"hears","phone":P}    tells which voices are in the sound of the last half second, and how loud it is

A voice is a sine of a multiple of 50 Hz, so that 20 ms hold whole waves: two people hear each other when each one's
sound holds the other's voice.
"""
import asyncio
import json
import math
import random
import re
import struct
import sys
import time

RATE, FRAME = 8000, 160  # samples per second and per packet of 20 ms
VOICES = (350, 450, 550, 650, 750, 850, 950, 1050, 1150, 1250)
KEYS = "0123456789*#"
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)
PAD = "123456789*0#"


# ---- sound: G.711 µ-law (ITU-T G.711), sines, and what is in them ------------------------------------------------

def _compress(sample):
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 15) & 255


def _expand(byte):
    byte = ~byte & 255
    value = ((byte & 15) << 3) + 132 << (byte >> 4 & 7)
    return 132 - value if byte & 128 else value - 132


EXPANDED = [_expand(b) for b in range(256)]
SILENCE = bytes([_compress(0)]) * FRAME


def wave(frequencies, start=0, loud=8000):
    def at(i):
        return sum(math.sin(2 * math.pi * f * (start + i) / RATE) for f in frequencies) * loud / len(frequencies)
    return bytes(_compress(int(at(i))) for i in range(FRAME))


def share(samples, frequency):
    """How much of the energy lies at the frequency, 0 to 1 (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * frequency / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    energy = sum(s * s for s in samples)
    return 2 * (one * one + two * two - turn * one * two) / (len(samples) * energy) if energy else 0.0


class Sound:
    """The RTP side of a phone. `tick` is called every 20 ms for all phones together."""

    def __init__(self, voice, events):
        self.voice, self.events = wave([voice]) if voice else SILENCE, events
        self.towards = self.pt = None
        self.frames, self.first_sound = [], None
        self.sequence, self.clock, self.source = random.getrandbits(15), random.getrandbits(30), random.getrandbits(32)
        self.outbox, self.transport = [], None

    async def open(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        return self

    connection_made = connection_lost = error_received = lambda *_: None

    def datagram_received(self, data, _):
        if len(data) > 12 and data[1] & 127 == 0:
            self.frames.append((time.monotonic(), data[12:]))
            del self.frames[:-25]
            if self.first_sound is None and any(abs(EXPANDED[b]) > 500 for b in data[12:]):
                self.first_sound = time.monotonic()

    def send(self, kind, payload, clock=None, mark=False):
        self.sequence = self.sequence + 1 & 0xFFFF
        head = struct.pack("!BBHII", 128, kind | mark << 7, self.sequence, (clock or self.clock) & 0xFFFFFFFF, self.source)
        self.transport.sendto(head + payload, self.towards)

    def press(self, keys, via):
        for key in keys:
            if via == "inband":
                place = PAD.index(key)
                tones = ROWS[place // 3], COLUMNS[place % 3]
                self.outbox += [(0, wave(tones, n * FRAME, 14000), None) for n in range(6)] + [(0, SILENCE, None)] * 4
            else:  # RFC 4733: the same event, growing, its end three times
                steps = [(min(n + 1, 5), n >= 4) for n in range(7)]
                self.outbox += [(self.pt, struct.pack("!BBH", KEYS.index(key), end << 7 | 10, n * FRAME), n) for n, end in steps]
                self.outbox += [(0, SILENCE, None)] * 3

    def tick(self):
        if self.towards is None:
            return
        if self.outbox:
            kind, payload, step = self.outbox.pop(0)
            if step == 1:
                self.event_clock = self.clock
            self.send(kind, payload, self.event_clock if step else None, mark=step == 1)
        else:
            self.send(0, self.voice)
        self.clock += FRAME

    def hears(self):
        since = time.monotonic() - 0.5
        samples = [EXPANDED[b] for at, frame in self.frames if at > since for b in frame]
        if not samples:
            return {"voices": {}, "level": 0}
        level = math.sqrt(sum(s * s for s in samples) / len(samples))
        voices = {v: round(share(samples, v), 2) for v in VOICES} if level > 50 else {}
        return {"voices": {str(v): s for v, s in voices.items() if s > 0.1}, "level": round(level)}

    def description(self, address="127.0.0.1"):
        port = self.transport.get_extra_info("sockname")[1]
        lines = ["v=0", f"o=- {port} {port} IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
                 f"m=audio {port} RTP/AVP 0" + (" 101" if self.events else ""), "a=rtpmap:0 PCMU/8000", "a=ptime:20"]
        if self.events:
            lines += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"]
        return "\r\n".join(lines + ["a=sendrecv", ""])

    def aim(self, body):
        host, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
        event = re.search(r"a=rtpmap:(\d+) telephone-event", body)
        if host and port:
            self.towards, self.pt = (host[1], int(port[1])), int(event[1]) if event else 101

    def close(self):
        self.towards = None
        self.transport.close()


# ---- SIP (RFC 3261), as much of it as phones need ----------------------------------------------------------------

class Message:
    def __init__(self, data):
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.fields = [(name.strip().lower(), value.strip()) for name, _, value in (l.partition(":") for l in lines)]
        parts = self.first.split(" ")
        self.status = int(parts[1]) if parts[0] == "SIP/2.0" else None
        self.method = self["cseq"].split()[-1] if self.status else parts[0]
        self.uri = "" if self.status else parts[1]

    def __getitem__(self, name):
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name):
        return [value for key, value in self.fields if key == name]


class Phone:
    """One end of one dialog."""

    def __init__(self, name, number, how):
        self.name, self.number, self.how = name, number, how
        self.state, self.acknowledged, self.count = "new", False, random.randrange(100, 900)
        self.tag, self.sound, self.invite = f"{random.getrandbits(40):x}", None, None
        self.via = how.get("via", "rfc4733")


class Company:
    def __init__(self, port, pbx):
        self.port, self.pbx = port, pbx
        self.dialogs, self.phones, self.behaviour, self.jobs = {}, {}, {}, set()

    async def run(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        self.job(self.keep_ticking())
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        print(json.dumps({"event": "listening"}), flush=True)
        while line := await reader.readline():
            await self.wanted(json.loads(line))

    connection_made = connection_lost = error_received = lambda *_: None

    def job(self, work):
        task = asyncio.ensure_future(work)
        self.jobs.add(task)
        task.add_done_callback(self.jobs.discard)

    async def keep_ticking(self):
        at = time.monotonic()
        while True:
            for phone in list(self.dialogs.values()):
                if phone.sound:
                    phone.sound.tick()
            at += FRAME / RATE
            await asyncio.sleep(max(0, at - time.monotonic()))

    def tell(self, phone, event, **more):
        print(json.dumps({"phone": phone.name, "number": phone.number, "event": event, **more}), flush=True)

    # -- what the tests want

    async def wanted(self, want):
        phone, do = self.phones.get(want.get("phone")), want["do"]
        if do == "behave":
            self.behaviour[want["number"]] = want
            print(json.dumps({"phone": want["number"], "event": "behaves"}), flush=True)
        elif do == "call":
            await self.call(want)
        elif phone is None:
            print(json.dumps({"phone": want.get("phone"), "event": "unknown"}), flush=True)
        elif do == "answer":
            await self.answer(phone)
        elif do == "keys":
            self.press(phone, want["keys"])
        elif do == "hears":
            self.tell(phone, "hears", **(phone.sound.hears() if phone.sound else {"voices": {}, "level": 0}))
        elif do == "vanish":
            self.drop(phone)
        elif do == "hang_up":
            self.hang_up(phone)

    def press(self, phone, keys):
        if phone.via == "info":
            for key in keys:
                self.request(phone, "INFO", f"Signal={key}\r\nDuration=160\r\n", "application/dtmf-relay")
        else:
            phone.sound.press(keys, phone.via)

    def hang_up(self, phone):
        if phone.state == "rung":
            self.reply(phone.invite, 603, "Decline", phone)
            self.end(phone, "declined")
        elif phone.state == "calling":
            self.request(phone, "CANCEL", number=phone.first, branch=phone.branch)
        elif phone.state == "up":
            self.request(phone, "BYE")
            self.end(phone, "hung up")

    async def call(self, want):
        phone = Phone(want["phone"], want["from"] or "", want)
        known = want["from"]
        phone.local = f"<sip:{known}@127.0.0.1:{self.port}>" if known else '"Anonymous" <sip:anonymous@anonymous.invalid>'
        phone.local += f";tag={phone.tag}"
        phone.target = f"sip:{want['to']}@{self.pbx[0]}:{self.pbx[1]}"
        phone.remote, phone.call_id, phone.state = f"<{phone.target}>", f"{random.getrandbits(60):x}", "calling"
        phone.asserted = f"P-Asserted-Identity: <sip:{known}@127.0.0.1>\r\n" if known else "Privacy: id\r\n"
        phone.sound = await Sound(want.get("tone", VOICES[0]), phone.via != "inband").open()
        self.dialogs[phone.call_id] = self.phones[phone.name] = phone
        phone.first = phone.count + 1
        phone.branch = self.request(phone, "INVITE", phone.sound.description(), "application/sdp")

    # -- what the PBX wants

    def datagram_received(self, data, source):
        try:
            message = Message(data)
            phone = self.dialogs.get(message["call-id"])
        except (ValueError, IndexError):
            return
        if message.status:
            if phone:
                self.replied(phone, message)
        elif message.method == "INVITE" and not phone:
            self.job(self.rung(message, source))
        elif message.method == "ACK":
            if phone:
                phone.acknowledged = True
        else:
            self.asked(message, source, phone)

    def asked(self, message, source, phone):
        if message.method == "OPTIONS":
            self.reply(message, 200, "OK", phone, source)
        elif phone is None:
            self.reply(message, 481, "No such call", None, source)
        elif message.method == "INVITE":
            if phone.state == "up":
                phone.sound.aim(message.body)
                self.reply(message, 200, "OK", phone, body=phone.sound.description())
        elif message.method == "CANCEL":
            self.reply(message, 200, "OK", phone)
            if phone.state == "rung":
                self.reply(phone.invite, 487, "Request Terminated", phone)
                self.end(phone, "cancelled")
        else:
            self.reply(message, 200, "OK", phone)
            if message.method == "BYE":
                self.end(phone, "the other side hung up")

    async def rung(self, message, source):
        number = re.match(r"sips?:([^@;>]*)", message.uri)[1]
        how = self.behaviour.get(number, {"as": "unallocated"})
        phone = Phone(number, number, how)
        phone.invite, phone.source, phone.call_id = message, source, message["call-id"]
        phone.local, phone.remote = f"{message['to']};tag={phone.tag}", message["from"]
        phone.target = re.search(r"<([^>]+)>", message["contact"])[1]
        phone.asserted, phone.state = "", "rung"
        self.dialogs[phone.call_id] = self.phones[number] = phone
        kind, shown = how["as"], re.search(r"sip:([^@>]*)", message["from"])
        refusals = {"busy": (486, "Busy Here"), "decline": (603, "Decline"), "unallocated": (404, "Not Found")}
        if kind == "dead":
            return self.tell(phone, "dialled")
        if kind in refusals:
            self.tell(phone, "dialled")
            self.reply(message, *refusals[kind], phone)
            return self.end(phone, kind)
        self.reply(message, 180, "Ringing", phone)
        self.tell(phone, "rings", shows=shown[1] if shown else "")
        if kind in ("answer", "voicemail"):
            await asyncio.sleep(how.get("after_ms", 0) / 1000)
            await self.answer(phone)

    async def answer(self, phone):
        if phone.state != "rung":
            return
        phone.state = "answering"
        phone.sound = await Sound(phone.how.get("tone", VOICES[1]), phone.via != "inband").open()
        phone.state = "up"
        phone.sound.aim(phone.invite.body)
        self.reply(phone.invite, 200, "OK", phone, body=phone.sound.description())
        self.tell(phone, "up")
        self.job(self.insist(phone))
        if phone.how.get("keys"):
            self.job(self.press_when_spoken_to(phone))

    async def insist(self, phone):
        """Until the ACK has come: datagrams get lost."""
        for wait in (0.5, 1, 2, 4, 4, 4):
            await asyncio.sleep(wait)
            if phone.acknowledged or phone.state != "up":
                return
            self.reply(phone.invite, 200, "OK", phone, body=phone.sound.description())

    async def press_when_spoken_to(self, phone):
        while phone.state == "up" and phone.sound.first_sound is None:
            await asyncio.sleep(0.02)
        await asyncio.sleep(phone.how.get("keys_after_ms", 0) / 1000)
        if phone.state == "up":
            self.tell(phone, "presses")
            self.press(phone, phone.how["keys"])

    def replied(self, phone, message):
        if message.method != "INVITE" or message.status < 180:
            return
        if message.status < 200:
            return self.tell(phone, "waits", status=message.status)
        phone.remote = message["to"]
        if message.status < 300:
            contact = re.search(r"<([^>]+)>", message["contact"])
            phone.target = contact[1] if contact else phone.target
            self.request(phone, "ACK", number=phone.first)
            if phone.state == "calling":
                phone.state = "up"
                phone.sound.aim(message.body)
                self.tell(phone, "up")
        else:
            self.request(phone, "ACK", number=phone.first, branch=phone.branch)
            self.end(phone, "refused", status=message.status)

    # -- the wire

    def request(self, phone, method, body="", kind="", number=None, branch=None):
        if number is None:
            phone.count += 1
            number = phone.count
        branch = branch or f"z9hG4bK{random.getrandbits(48):x}"
        head = [f"{method} {phone.target} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport",
                "Max-Forwards: 70", f"From: {phone.local}", f"To: {phone.remote}", f"Call-ID: {phone.call_id}",
                f"CSeq: {number} {method}", f"Contact: <sip:phone@127.0.0.1:{self.port}>"]
        if method == "INVITE":
            head.append(phone.asserted.strip())
        self.put(head, body, kind, self.pbx)
        return branch

    def reply(self, message, status, words, phone, source=None, body=""):
        to = message["to"]
        if phone and "tag=" not in to:
            to += f";tag={phone.tag}"
        head = [f"SIP/2.0 {status} {words}", *(f"Via: {via}" for via in message.all("via")), f"From: {message['from']}",
                f"To: {to}", f"Call-ID: {message['call-id']}", f"CSeq: {message['cseq']}",
                f"Contact: <sip:phone@127.0.0.1:{self.port}>"]
        self.put(head, body, "application/sdp" if body else "", source or self.pbx)

    def put(self, head, body, kind, where):
        if kind:
            head.append(f"Content-Type: {kind}")
        head.append(f"Content-Length: {len(body)}")
        self.transport.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), where)

    def end(self, phone, why, **more):
        if phone.state != "over":
            phone.state = "over"
            self.drop(phone)
            self.tell(phone, "over", why=why, **more)

    def drop(self, phone):
        """The phone is gone from the network, whatever the PBX thinks."""
        if phone.sound:
            phone.sound.close()
            phone.sound = None


if __name__ == "__main__":
    host, pbx_port = sys.argv[2].rsplit(":", 1)
    asyncio.run(Company(int(sys.argv[1]), (host, int(pbx_port))).run())
