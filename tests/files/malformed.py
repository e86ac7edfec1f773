"""Malformed recordings, pictures and archives by the hundred: made from good ones, the same ones every time."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Iterator

MAGIC = {
    "mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
    "mov": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00",
    "webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01",
    "wav": b"RIFF\xff\xff\xff\x7fWAVEfmt ",
    "ogg": b"OggS\x00\x02",
    "mp3": b"ID3\x04\x00\x00\x00\x00\x00\n",
    "m4a": b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00",
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "gif": b"GIF89a",
    "webp": b"RIFF\xff\x00\x00\x00WEBPVP8 ",
    "heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
    "zip": b"PK\x03\x04",
    "flac": b'fLaC\x00\x00\x00"',
    "mkv": b"\x1aE\xdf\xa3",
    "avi": b"RIFF\x00\x00\x00\x01AVI LIST",
}
NOTHING_KNOWN = {
    "page.html": b"<!doctype html><script>alert(1)</script>",
    "text.txt": b"lesson\n" * 50,
    "picture.svg": b"<svg xmlns='x'><script/></svg>",
    "program.exe": b"MZ" + bytes(400),
    "program": b"\x7fELF" + bytes(400),
    "paper.pdf": b"%PDF-1.7\n%\xe2\xe3\n",
    "script.sh": b"#!/bin/sh\nid\n",
    "list.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n",
    "list.ffconcat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "words.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHi\n",
    "table.csv": b"a,b\n1,2\n",
    "data.json": b'{"a": 1}',
    "old.gz": b"\x1f\x8b\x08" + bytes(60),
    "old.tar": b"a" * 257 + b"ustar" + bytes(300),
    "base.sqlite3": b"SQLite format 3\0" + bytes(200),
    "empty.mp4": b"",
    "zeros.mp4": bytes(4000),
    "null.webm": b"\0",
    "playlist.mp4": b"#EXTM3U\nhttp://127.0.0.1/x\n",
    "sdp.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
}


def recordings(good: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """(name, bytes): what phones never send, from what they send."""
    yield from NOTHING_KNOWN.items()
    chance = random.Random(2)
    for suffix, magic in MAGIC.items():
        for length in (0, 3, 60, 500, 5000):
            yield f"noise-{length}.{suffix}", magic + chance.randbytes(length)
    for name, data in good.items():
        stem, _dot, suffix = name.rpartition(".")
        for number, made in enumerate(_damaged(data, random.Random(stem))):
            yield f"{stem}-{number}.{suffix}", made


def _damaged(data: bytes, chance: random.Random) -> Iterator[bytes]:
    for length in (1, 7, 20, 40, 100, 200):
        yield data[:length]
    for length in (12, 400):
        yield bytes(length) + data[length:]
        yield chance.randbytes(length) + data[length:]
    yield data[::-1]
    yield bytes(byte ^ 0xFF for byte in data)
    yield data[1:]
    yield data[len(data) // 2 :]
    yield data[:12] + chance.randbytes(len(data))
    for name in (b"moov", b"trak", b"stsd", b"mdia", b"\x16T\xaek", b"\x18S\x80g", b"fmt "):
        if name in data:
            at = data.index(name)
            yield data[:at] + b"free" + data[at + 4 :]
            yield data[: at + 4] + chance.randbytes(len(data) - at - 4)
            yield data[: at - 4] + b"\xff\xff\xff\xff" + data[at:]
            yield data[:at]


def boxes() -> Iterator[tuple[str, bytes]]:
    """MP4 boxes within boxes, of sizes that lie."""
    head = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"
    deep = b""
    for _n in range(3000):
        deep = struct.pack(">I4s", (len(deep) + 8) & 0xFFFFFFFF, b"moov") + deep
    yield "deep.mp4", head + deep
    for number, size in enumerate((0, 1, 7, 8, 9, 2**31, 2**32 - 1)):
        yield f"size-{number}.mp4", head + struct.pack(">I4s", size, b"moov") + bytes(64)
        yield f"mdat-{number}.mp4", head + struct.pack(">I4s", size, b"mdat") + bytes(64)


def archives() -> Iterator[tuple[str, bytes]]:
    for name, entries in {
        "bomb": {"zeros.csv": bytes(60_000_000)}, "upwards": {"../../etc/passwd": b"x"}, "absolute": {"/etc/passwd": b"x"},
        "many": {f"{n}.csv": b"" for n in range(20_000)},
    }.items():  # fmt: skip
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries.items():
                archive.writestr(entry, content)
        yield f"{name}.zip", made.getvalue()


def flipped(data: bytes, seed: int) -> bytes:
    """Some bytes are others."""
    chance = random.Random(seed)
    made = bytearray(data)
    for _n in range(chance.choice([1, 3, 30])):
        made[chance.randrange(len(made))] ^= chance.randrange(1, 256)
    return bytes(made)
