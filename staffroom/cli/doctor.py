"""The doctor: every option with where it comes from, and everything that can be checked from here."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from staffroom import options
from staffroom.cli import Mistake
from staffroom.cli.preparing import set_up
from staffroom.logs import masked

GIGABYTE = 1024**3


@dataclass(frozen=True)
class Finding:
    """What one check found; ``state`` is ok, warning or failure."""

    check: str
    state: str
    sentence: str
    advice: str = ""
    facts: dict[str, str] = field(default_factory=dict)


class Bad(Exception):
    """A check failed, in a sentence."""


class Odd(Exception):
    """A check found something to think about, in a sentence."""


def doctor(told: argparse.Namespace) -> int:
    """Print options and findings; 1 if anything fails."""
    shown = [_option(option) for option in options.OPTIONS]
    findings = list(_findings())
    if told.json:
        print(json.dumps({"options": shown, "checks": [asdict(finding) for finding in findings]}, indent=1))
    else:
        _print(shown, findings)
    return 1 if any(finding.state == "failure" for finding in findings) else 0


def _option(option: options.Option) -> dict[str, str]:
    try:
        value, origin = options.value_and_origin(option.name)
        text = "" if value in ("", []) else ", ".join(value) if isinstance(value, list) else str(value)
        if option.is_secret and text:
            text = "***"
    except options.BadOption as error:
        text, origin = "?", str(error)
    return {"name": option.name, "value": text, "origin": origin, "sentence": option.sentence}


def _print(shown: list[dict[str, str]], findings: list[Finding]) -> None:
    print("Options\n")
    for option in shown:
        print(f"  {option['name']:<20} {option['value'] or '-':<34} {option['origin']}")
    print("\nChecks\n")
    for finding in findings:
        mark = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}[finding.state]
        advice = f". {finding.advice}" if finding.advice else ""
        print(f"  {mark}  {finding.check:<12} {finding.sentence.rstrip('.') if advice else finding.sentence}{advice}")


def _findings() -> Iterator[Finding]:
    try:
        set_up()
    except (options.BadOption, Mistake, ImportError) as error:
        yield Finding("options", "failure", _missing(error) if isinstance(error, ImportError) else str(error))
        return
    except Exception as error:
        yield Finding("options", "failure", masked(str(error).splitlines()[0]))
        return
    for name, check in CHECKS.items():
        try:
            found = check()
            yield found if isinstance(found, Finding) else Finding(name, "ok", found)
        except Odd as error:
            yield Finding(name, "warning", str(error))
        except Bad as error:
            yield Finding(name, "failure", str(error))
        except ImportError as error:
            yield Finding(name, "failure", _missing(error))
        except Exception as error:
            words = masked(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
            yield Finding(name, "failure", words)


def _missing(error: ImportError) -> str:
    extra = {"psycopg": "postgres", "redis": "redis", "channels_redis": "redis", "storages": "s3", "boto3": "s3"}
    name = (error.name or str(error)).split(".")[0]
    return f"{name} is not installed: pip install 'staffroom[{extra.get(name, name)}]'"


def _undamaged() -> str:
    """SQLite's own check of its file; a server sees to that itself."""
    from django.db import connection

    if connection.vendor != "sqlite":
        return "the server's own affair"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA quick_check(1)")
        if cursor.fetchone()[0] != "ok":
            raise Bad(f"{connection.settings_dict['NAME']} is damaged: restore a backup")
    return "every page of the file can be read"


def _front_end() -> str:
    from staffroom.ui import built

    if not built.manifest():
        raise Bad("not built: pages have no styles. In a checkout: make front. A wheel brings it: reinstall it.")
    return "built"


def _bytes_in_order() -> str:
    """Hold the database against the storage: nothing missing, nothing that belongs to nothing."""
    from staffroom.files.queries import health

    found = health()
    words = f"{len(found.missing)} missing, {len(found.orphans)} without a row ({found.orphan_bytes / GIGABYTE:.1f} GB)"
    words += f", {found.overdue_uploads} uploads overdue, {found.stuck_files} files waiting to be looked at"
    if found.missing:
        raise Bad(f"{words}. Missing: {', '.join(found.missing[:3])}. Restore them from a backup.")
    if found.orphans or found.stuck_files:
        raise Odd(words)
    return words


def _https() -> str:
    from django.conf import settings

    site = urlsplit(settings.SITE_URL)
    if settings.IS_HTTPS:
        if not settings.TRUSTED_PROXIES:
            raise Odd("site_url is https, but trusted_proxies is 0: the proxy's word on addresses is not believed")
        return "cookies are secure, HSTS is sent"
    if site.hostname in ("localhost", "127.0.0.1", "::1"):
        return "not needed on this machine alone; others need https (docs/hosts/install.md)"
    raise Bad(f"{settings.SITE_URL} is not https: passwords and recordings would travel in the open, cameras stay off")


def _site() -> str:
    """Whether the address that people use leads here."""
    from django.conf import settings

    if not options.get("site_url"):
        return f"{settings.SITE_URL} (site_url is empty)"
    import urllib.request

    try:
        with urllib.request.urlopen(f"{settings.SITE_URL}/health/", timeout=5) as answer:
            off = abs((parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)).total_seconds())
    except OSError as error:
        raise Odd(f"{settings.SITE_URL} does not answer from here: {getattr(error, 'reason', error)}") from error
    return f"{settings.SITE_URL} answers ({off:.0f} s apart)"


def _part(name: str) -> Callable[[], str | Finding]:
    """A part that the page of administrators shows, too."""

    def look() -> Finding:
        from staffroom.home import parts

        found = parts.CHECKS[name](parts.read_site())
        return Finding(name, found.state, found.sentence, found.advice, dict(found.facts))

    return look


CHECKS: dict[str, Callable[[], str | Finding]] = {
    **{
        name: _part(name)
        for name in ("database", "redis", "files", "processes", "queue", "lake", "clock", "disk", "mail")
    },
    "file of rows": _undamaged,
    "bytes": _bytes_in_order,
    "front end": _front_end,
    "https": _https,
    "site": _site,
}
