"""Work on media in a child process that may be killed, starve or crash without taking the worker with it.

The parent sends one request as a line of JSON and reads lines back: progress, then one result. The child lowers its own limits
before it opens anything, and ends when its parent does. Run as ``python -m staffroom.files.media.apart``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from staffroom.files.media.limits import Failed, OutOfRoom, Refused

MEMORY_BYTES = 4 * 1024**3
SILENCE_S = 600.0
BEAT_S = 5.0
# The child may hold this much more than what it was given to work on.
ROOM_BYTES = 4 * 1024**3

type Report = Callable[[int, int], None]


def run(
    deed: str, *, cpu_s: int, report: Report | None = None, room: int = ROOM_BYTES, **arguments: Any
) -> dict[str, Any]:
    """Do a deed of ``DEEDS`` apart, and return its result. Raises ``Refused``, ``OutOfRoom`` or ``Failed``."""
    request = {"deed": deed, "cpu_s": cpu_s, "room": room, "arguments": {k: _plain(v) for k, v in arguments.items()}}
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "staffroom.files.media.apart"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        cwd=Path(__file__).resolve().parents[3],
    )  # fmt: skip
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        return _listen(child, report)
    except BrokenPipeError as error:
        raise Failed from error
    finally:
        child.kill()
        child.wait()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        if child.stdout:
            child.stdout.close()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _listen(child: subprocess.Popen[str], report: Report | None) -> dict[str, Any]:
    """Read the child's lines until its result; a child that says nothing for long is given up.

    Meanwhile the last progress is told again, so that whoever holds a lease on this work keeps it.
    """
    lines: Queue[str] = Queue()
    threading.Thread(target=_pump, args=(child, lines), daemon=True).start()
    progress, heard_at = [0, 0], time.monotonic()
    while True:
        try:
            said = json.loads(lines.get(timeout=BEAT_S) or '{"failed": "ended"}')
        except Empty:
            if time.monotonic() - heard_at > SILENCE_S:
                raise Failed("silent") from None
            said = {"progress": progress}
        else:
            heard_at = time.monotonic()
        if "progress" not in said:
            return _result(said)
        progress = said["progress"]
        if report:
            report(*progress)


def _pump(child: subprocess.Popen[str], lines: Queue[str]) -> None:
    assert child.stdout is not None
    with contextlib.suppress(ValueError, OSError):
        for line in child.stdout:
            lines.put(line)
    lines.put("")


def _result(said: dict[str, Any]) -> dict[str, Any]:
    if "refused" in said:
        raise Refused(said["refused"], **said["details"])
    if "out_of_room" in said:
        raise OutOfRoom
    if "failed" in said:
        raise Failed(said["failed"])
    result: dict[str, Any] = said["result"]
    return result


def _deeds() -> dict[str, Callable[..., dict[str, Any]]]:
    from staffroom.files.media import clips, pictures, probing, sound, web

    return {
        "sleep": _sleep,
        "look": probing.look,
        "web_video": web.make_video,
        "web_audio": web.make_audio,
        "poster": pictures.make_poster,
        "storyboard": pictures.make_storyboard,
        "waveform": sound.make_waveform,
        "clip": clips.make_clip,
    }


def _sleep(report: Report) -> dict[str, Any]:
    """Say nothing, for the tests of patience."""
    time.sleep(60)
    return {}


def _limit(cpu_s: int, room: int) -> None:
    """Limits that the operating system keeps; where it knows none, the parent's patience remains."""
    with contextlib.suppress(ImportError):
        import resource

        for kind, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_FSIZE, room),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)


def _end_with_parent() -> None:
    """The parent never closes our input while it lives; when it does, nobody waits for the result."""
    with contextlib.suppress(OSError):
        while os.read(0, 65536):
            pass
    os._exit(3)


class _Progress:
    """Says how far the work is, a few times a second."""

    def __init__(self) -> None:
        self.said_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.said_at >= 0.3:
            self.said_at = time.monotonic()
            _say({"progress": [done, total]})


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from staffroom.files.media.opening import NO_ROOM

    arguments = {k: Path(v) if k in ("path", "target") else v for k, v in request["arguments"].items()}
    if request["deed"] != "look":
        arguments["report"] = _Progress()
    try:
        return {"result": _deeds()[request["deed"]](**arguments)}
    except Refused as refused:
        return {"refused": refused.code, "details": refused.details}
    except OutOfRoom:
        return {"out_of_room": True}
    except MemoryError:
        return {"failed": "MemoryError"}
    except Exception as error:
        if getattr(error, "errno", None) in NO_ROOM:
            return {"out_of_room": True}
        return {"failed": type(error).__name__}


def main() -> None:
    """The child: one request from standard input, its result to standard output."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return
        line += byte
    request = json.loads(line)
    _limit(request["cpu_s"], request["room"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _say(_answer(request))
    os._exit(0)


if __name__ == "__main__":
    main()
