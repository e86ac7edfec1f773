"""The log: one line per event on standard output, plain for people or JSON for machines, through structlog.

Events carry numbers of rows and names of kinds, never content or secrets; whatever a library says is masked where it quotes
an address with a password.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^@\s/]+)@")
_TOKEN = re.compile(
    r"(?i)\b(password|passwd|secret|token|authorization|cookie|sessionid|csrftoken)\b(['\"]?\s*[=:]\s*)\S+"
)
_SECRET_KEYS = {"password", "secret", "token", "authorization", "cookie"}

type Event = MutableMapping[str, Any]


def masked(text: str) -> str:
    """The text without passwords in addresses and without named secrets."""
    if ":" not in text and "=" not in text:
        return text  # neither can be in it
    return _TOKEN.sub(r"\1\2***", _PASSWORD.sub(r"\1:***@", text))


def mask_event(logger: Any, method: str, event: Event) -> Event:
    """A structlog processor: no value leaves as a secret."""
    for key, value in event.items():
        if key in _SECRET_KEYS:
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = masked(value)
    return event


def _frames(logger: Any, method: str, event: Event) -> Event:
    """An exception as the places it came through and its kind: its message may quote what people wrote."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["places"] = _places(error)
    if event.get("logger") == "django.request":
        event["event"] = str(event["event"]).partition(":")[0]  # without the address, which may hold a secret link
    return event


def _with_message(logger: Any, method: str, event: Event) -> Event:
    """Developers see the whole trace."""
    info = event.get("exc_info")
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["trace"] = "\n" + "".join(traceback.format_exception(error))
    return event


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return places[-12:]


def _plain(logger: Any, method: str, event: Event) -> str:
    """``2026-11-22T10:00:00Z warning job_failed kind=files.derive attempt=2``."""
    head = [str(event.pop(key, "")) for key in ("timestamp", "level", "event")]
    event.pop("logger", None)
    return " ".join([*head, *(f"{key}={value}" for key, value in event.items())])


def configuration(log_format: str, *, is_debug: bool = False) -> dict[str, Any]:
    """Set structlog up, and give Django's LOGGING that sends every other library's lines the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last = structlog.processors.JSONRenderer() if log_format == "json" else _plain
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder(allow=[])],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([_with_message] if is_debug else []),
            _frames,
            mask_event,
            last,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
        "root": {"handlers": ["out"], "level": "INFO"},
        "loggers": {
            # Its own handlers would mail and print in other ways, and quote addresses as typed.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "propagate": True},
            "django.security.csrf": {"level": "ERROR"},
            "django.tasks": {"level": "WARNING"},
            "uvicorn.access": {"level": "CRITICAL"},
            "uvicorn.error": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
        },
    }
