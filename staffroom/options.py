"""Every knob, once: its name, type, default, and one sentence.

An option is read, in this order, from the environment (``STAFFROOM_PORT=9000``), from ``staffroom.toml`` in the data folder
(``port = 9000``), or from its default here. ``staffroom doctor`` prints each with its origin; docs/hosts lists them all.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PREFIX = "STAFFROOM_"


class BadOption(ValueError):
    """An option has a value that cannot be read; the message names the option and where the value came from."""


@dataclass(frozen=True)
class Option:
    """One knob: ``type`` is str, int, bool, list (comma-separated) or Path."""

    name: str
    type: type
    default: Any
    sentence: str
    is_secret: bool = False

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


OPTIONS: tuple[Option, ...] = (
    Option(
        "data",
        Path,
        Path("~/.staffroom"),
        "The folder that holds the database, files, secret and lake.",
    ),
    Option("host", str, "127.0.0.1", "The address that the web server listens on."),
    Option("port", int, 8000, "The port that the web server listens on."),
    Option(
        "site_url",
        str,
        "",
        "The address at which people reach this site; empty: http://localhost:<port>.",
    ),
    Option(
        "allowed_hosts",
        list,
        [],
        "Further host names that this site answers to, besides that of site_url.",
    ),
    Option(
        "trusted_proxies",
        int,
        0,
        "How many proxies in front of this site may be believed about addresses.",
    ),
    Option(
        "debug",
        bool,
        False,
        "Developers only: show errors in the browser and the style guide.",
    ),
    Option(
        "secret",
        str,
        "",
        "The key that signs sessions and links; empty: made once, in the data folder.",
        True,
    ),
    Option(
        "database_url",
        str,
        "",
        "sqlite:///… or postgres://…; empty: SQLite in the data folder.",
        True,
    ),
    Option(
        "redis_url",
        str,
        "",
        "redis://… for cache and channels when several processes serve one site.",
        True,
    ),
    Option(
        "files_url",
        str,
        "",
        "s3://key:secret@host:port/bucket for files; empty: the data folder.",
        True,
    ),
    Option(
        "email_url",
        str,
        "",
        "smtp://user:password@host:587 for mail; empty: mails are written to a folder.",
        True,
    ),
    Option("email_from", str, "Staffroom <staffroom@localhost>", "The sender of mails."),
    Option(
        "language",
        str,
        "en",
        "The language of pages for people who have chosen none.",
    ),
    Option("time_zone", str, "UTC", "The time zone of dates on pages."),
    Option("web_threads", int, 8, "How many requests one web process works on at a time."),
    Option("web_processes", int, 1, "How many web processes serve one address; more than one wants redis_url."),
    Option("worker_processes", int, 1, "How many worker processes run beside the web server."),
    Option("worker_jobs", int, 1, "How many jobs one worker does at a time."),
    Option(
        "lease_s",
        int,
        60,
        "Seconds of silence after which a worker's job is taken over by another.",
    ),
    Option(
        "retention_days",
        int,
        365,
        "How long what people make is kept, unless they choose less.",
    ),
    Option(
        "warning_days",
        int,
        30,
        "How many days before its end the owner of a thing is warned.",
    ),
    Option("upload_max_gb", int, 8, "The largest file that can be uploaded, in gigabytes."),
    Option("quota_gb", int, 50, "How many gigabytes of files one person may keep."),
    Option(
        "upload_days",
        int,
        7,
        "How many days an unfinished upload waits to be continued.",
    ),
    Option(
        "media_minutes",
        int,
        30,
        "How many minutes a link to media works before the page renews it.",
    ),
    Option(
        "ledger_months",
        int,
        0,
        "After how many months an entry of the activity ledger is kept in the lake alone; 0: it is kept for good.",
    ),
    Option("invitation_days", int, 14, "How many days an invitation link works."),
    Option(
        "mfa_required",
        bool,
        False,
        "Ask leaders and administrators for a second factor at sign-in.",
    ),
    Option(
        "open_sign_up",
        bool,
        False,
        "Let anybody make an account without an invitation.",
    ),
    Option(
        "oidc",
        list,
        [],
        "OpenID Connect: name|issuer address|client id|client secret, several by comma.",
        True,
    ),
    Option("saml", list, [], "SAML: name|entity id|metadata address, several by comma."),
    Option("api_per_minute", int, 600, "How many API requests one person may make in a minute; 0: any number."),
    Option(
        "uploads_per_minute", int, 1200, "How many pieces of uploads one person may send in a minute; 0: any number."
    ),
    Option(
        "forward_to_private",
        bool,
        False,
        "Let administrators forward entries to addresses inside of this network, and without https.",
    ),
    Option("log_format", str, "plain", "How the log is written: plain or json."),
)

_BY_NAME = {option.name: option for option in OPTIONS}


def _read(option: Option, text: Any, origin: str) -> Any:
    """Turn what stands in the environment or the file into the option's type."""
    try:
        if option.type is bool:
            if isinstance(text, bool):
                return text
            return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False,
                    "off": False, "": False}[str(text).strip().lower()]  # fmt: skip
        if option.type is list:
            parts = text if isinstance(text, list) else str(text).split(",")
            return [str(part).strip() for part in parts if str(part).strip()]
        return option.type(text)
    except (KeyError, ValueError, TypeError) as error:
        shown = "***" if option.is_secret else repr(text)
        raise BadOption(f"{option.name} = {shown} (from {origin}) is not a {option.type.__name__}") from error


def data_folder() -> Path:
    """The data folder, as an absolute path; it need not exist yet."""
    text = os.environ.get(_BY_NAME["data"].variable)
    return Path(text or _BY_NAME["data"].default).expanduser().resolve()


@cache
def _file_values(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadOption(f"{path}: {error}") from error
    unknown = sorted(set(values) - set(_BY_NAME))
    if unknown:
        raise BadOption(f"{path}: no such option: {', '.join(unknown)}")
    return values


def value_and_origin(name: str) -> tuple[Any, str]:
    """The value of an option and where it came from: the variable's name, the file's path, or ``default``."""
    option = _BY_NAME[name]
    if name == "data":
        return (
            data_folder(),
            option.variable if option.variable in os.environ else "default",
        )
    if option.variable in os.environ:
        return _read(option, os.environ[option.variable], option.variable), option.variable
    path = data_folder() / "staffroom.toml"
    values = _file_values(path)
    if name in values:
        return _read(option, values[name], str(path)), str(path)
    return option.default, "default"


def get(name: str) -> Any:
    """The value of an option. Raises KeyError for an unknown name, BadOption for an unreadable value."""
    return value_and_origin(name)[0]


def secret() -> str:
    """The signing key: the option, or the one kept in the data folder, made at the first call."""
    given: str = get("secret")
    if given:
        return given
    import secrets

    folder = data_folder()
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = secrets.token_urlsafe(48)
        try:
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
                "w",
                encoding="utf-8",
            ) as file:
                file.write(made)
        except FileExistsError:
            pass
    return path.read_text(encoding="utf-8").strip()
