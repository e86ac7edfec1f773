"""What a file is by its first bytes. Its name and what the browser called it are hints that nobody has to tell truly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEAD = 65536


@dataclass(frozen=True)
class Sniffed:
    """kind: video, audio, image, archive, table; demuxer: the only one that FFmpeg may read it with."""

    kind: str
    media_type: str
    demuxer: str = ""


NOTHING_KNOWN = Sniffed("other", "application/octet-stream")
_QUICKTIME_ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_STILL_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis", b"avif", b"avis"}
_PREFIXES: tuple[tuple[bytes, Sniffed], ...] = (
    (b"\xff\xd8\xff", Sniffed("image", "image/jpeg")),
    (b"\x89PNG\r\n\x1a\n", Sniffed("image", "image/png")),
    (b"GIF87a", Sniffed("image", "image/gif")),
    (b"GIF89a", Sniffed("image", "image/gif")),
    (b"OggS", Sniffed("audio", "audio/ogg", "ogg")),
    (b"fLaC", Sniffed("audio", "audio/flac", "flac")),
    (b"ID3", Sniffed("audio", "audio/mpeg", "mp3")),
    (b"PK\x03\x04", Sniffed("archive", "application/zip")),
    (b"PK\x05\x06", Sniffed("archive", "application/zip")),
)
_RIFF = {
    b"WAVE": Sniffed("audio", "audio/wav", "wav"),
    b"AVI ": Sniffed("video", "video/x-msvideo", "avi"),
    b"WEBP": Sniffed("image", "image/webp"),
}


def sniff(path: Path, name: str = "") -> Sniffed:
    """The kind of a file. Text counts as a table only when its name says so; all else unknown is ``other``."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return _of_bytes(head, name.lower())


def _of_bytes(head: bytes, name: str) -> Sniffed:
    for prefix, sniffed in _PREFIXES:
        if head.startswith(prefix):
            return sniffed
    if head[4:8] in _QUICKTIME_ATOMS:
        return _quicktime(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        is_webm = b"webm" in head[:4096]
        return Sniffed("video", "video/webm" if is_webm else "video/x-matroska", "matroska")
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], NOTHING_KNOWN)
    return _by_rhythm(head, name)


def _quicktime(head: bytes) -> Sniffed:
    brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
    if brand in _STILL_BRANDS:
        return Sniffed("other", "image/heif")
    return Sniffed("video", "video/quicktime" if brand == b"qt  " else "video/mp4", "mov")


def _by_rhythm(head: bytes, name: str) -> Sniffed:
    """Formats that have no name at their beginning: frames that repeat, or plain text."""
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        is_adts = head[1] & 0xF6 == 0xF0
        return Sniffed("audio", "audio/aac", "aac") if is_adts else Sniffed("audio", "audio/mpeg", "mp3")
    if len(head) > 188 * 4 and all(head[188 * n] == 0x47 for n in range(4)):
        return Sniffed("video", "video/mp2t", "mpegts")
    if name.endswith((".csv", ".tsv", ".txt")) and _is_text(head):
        return Sniffed("table", "text/csv")
    return NOTHING_KNOWN


def _is_text(head: bytes) -> bool:
    if not head or b"\0" in head:
        return False
    try:
        head[: HEAD - 4].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 8 and error.reason == "unexpected end of data"
    return True
