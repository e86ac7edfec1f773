"""A small site for one island at a time: its pages, media with ranges, a tus server that can be cut off, and what was asked."""

from __future__ import annotations

import base64
import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import get_language

from staffroom.ui.island_words import words_script

BUILT = Path(__file__).resolve().parents[2] / "staffroom/ui/static/ui/built"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".mp4": "video/mp4",
    ".html": "text/html; charset=utf-8",
}
# The policy of the application, so that an island that breaks it fails here.
CSP = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'"
TOKEN = "the-token"


@dataclass
class Arriving:
    """An upload as the server sees it."""

    metadata: dict[str, str]
    length: int | None
    body: bytearray = field(default_factory=bytearray)
    received: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_whole(self) -> bool:
        return self.length is not None and len(self.body) == self.length


class Site(ThreadingHTTPServer):
    """Pages by path, files by path, uploads by key; `cut_after` holds how many bytes each coming PATCH may bring before it is cut."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, str] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.uploads: dict[str, Arriving] = {}
        self.posts: list[tuple[str, dict[str, str]]] = []
        self.refused: dict[str, int] = {}
        self.cut_after: list[int] = []
        self.is_down = False
        self.tokens: set[str | None] = set()
        self.pause_s = 0.0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def page(self, path: str, island: str, body: str) -> str:
        """Serve this body as a page with the island and the application's styles; returns its address."""
        entries = json.loads((BUILT / "manifest.json").read_text())
        head = "".join(_tags(entries, f"islands/{name}/index.ts") for name in ("app", island)) + words_script(island)
        self.pages[path] = (
            f'<!doctype html><html lang="{get_language() or "en"}"><head><meta charset="utf-8"><title>Lesson</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
            f'<body data-person="7"><main class="shell-main"><h1>Lesson</h1>{body}</main></body></html>'
        )
        return self.url + path


def _tags(entries: dict[str, Any], source: str) -> str:
    entry, seen = entries[source], []
    waiting = [entry]
    while waiting:
        each = waiting.pop()
        seen += each.get("css", [])
        waiting += [entries[name] for name in each.get("imports", [])]
    sheets = "".join(f'<link rel="stylesheet" href="/built/{name}">' for name in dict.fromkeys(seen))
    return f'{sheets}<script type="module" src="/built/{entry["file"]}"></script>'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in self.server.refused:
            self.answer(self.server.refused[path])
        elif path in self.server.pages:
            page = self.server.pages[path].encode()
            self.answer(200, page, Content_Type=TYPES[".html"], Content_Security_Policy=CSP)
        elif path in self.server.files:
            self.send_file(*self.server.files[path])
        elif path.startswith("/built/") and (BUILT / path[7:]).is_file():
            self.answer(
                200, (BUILT / path[7:]).read_bytes(), Content_Type=TYPES.get(Path(path).suffix, "application/json")
            )
        else:
            self.answer(404)

    def send_file(self, kind: str, content: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return self.answer(200, content, Content_Type=kind, Accept_Ranges="bytes")
        first, last = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
        span = f"bytes {first}-{last}/{len(content)}"
        return self.answer(206, content[first : last + 1], Content_Type=kind, Content_Range=span, Accept_Ranges="bytes")

    def do_POST(self) -> None:
        if self.path == "/uploads/":
            return self.create()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        values = {name: found[0] for name, found in parse_qs(body).items()}
        self.server.posts.append((self.path, values | {"token": self.headers.get("X-CSRFToken", "")}))
        if self.path in self.server.refused:
            return self.answer(self.server.refused[self.path])
        return self.answer(200, b"<!doctype html><title>Sent</title><h1>Sent</h1>", Content_Type=TYPES[".html"])

    # tus

    def create(self) -> None:
        self.server.tokens.add(self.headers.get("X-CSRFToken"))
        if self.server.is_down:
            return self.cut()
        if (status := self.server.refused.get("/uploads/")) is not None:
            return self.answer(status, b"This is larger than your district allows.", Content_Type="text/plain")
        pairs = (pair.partition(" ") for pair in self.headers.get("Upload-Metadata", "").split(",") if pair)
        metadata = {key: base64.b64decode(value).decode() for key, _space, value in pairs}
        length = self.headers.get("Upload-Length")
        key = str(uuid.uuid4())
        self.server.uploads[key] = Arriving(metadata, int(length) if length else None)
        return self.answer(201, Location=f"/uploads/{key}", Tus_Resumable="1.0.0", Upload_Offset="0")

    def upload(self) -> Arriving | None:
        self.server.tokens.add(self.headers.get("X-CSRFToken"))
        if self.server.is_down:
            self.cut()
            return None
        found = self.server.uploads.get(self.path.rsplit("/", 1)[-1])
        if not found:
            self.answer(404)
        return found

    def do_HEAD(self) -> None:
        if upload := self.upload():
            length = (
                {"Upload_Length": str(upload.length)} if upload.length is not None else {"Upload_Defer_Length": "1"}
            )
            self.answer(
                200, Upload_Offset=str(len(upload.body)), Tus_Resumable="1.0.0", Cache_Control="no-store", **length
            )

    def do_PATCH(self) -> None:
        upload = self.upload()
        if not upload:
            return
        if not upload.turn.acquire(blocking=False):  # what the cut request had sent is still being read
            self.rfile.read(int(self.headers["Content-Length"]))
            return self.answer(423, Tus_Resumable="1.0.0")
        try:
            self.append(upload)
        finally:
            upload.turn.release()

    def append(self, upload: Arriving) -> None:
        if int(self.headers["Upload-Offset"]) != len(upload.body):
            self.rfile.read(int(self.headers["Content-Length"]))
            return self.answer(409, Tus_Resumable="1.0.0")
        left = int(self.headers["Content-Length"])
        most = self.server.cut_after.pop(0) if self.server.cut_after else None
        while left:
            piece = self.rfile.read1(min(left, 65536 if most is None else min(65536, most)))
            if not piece:
                return self.cut()
            upload.body += piece
            upload.received += len(piece)
            left -= len(piece)
            if self.server.pause_s:
                threading.Event().wait(self.server.pause_s)
            if self.server.is_down:
                return self.cut()
            if most is not None and (most := most - len(piece)) <= 0:
                return self.cut()
        if self.headers.get("Upload-Length"):
            upload.length = int(self.headers["Upload-Length"])
        return self.answer(204, Upload_Offset=str(len(upload.body)), Tus_Resumable="1.0.0")

    def do_DELETE(self) -> None:
        if self.upload():
            del self.server.uploads[self.path.rsplit("/", 1)[-1]]
            self.answer(204, Tus_Resumable="1.0.0")

    def cut(self) -> None:
        """As when somebody pulls the plug: no answer."""
        self.close_connection = True
        self.connection.shutdown(2)
