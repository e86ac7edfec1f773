"""The doctor: every option with where it comes from, and everything that can be checked from here."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
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
        print(f"  {mark}  {finding.check:<12} {finding.sentence}")


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
            yield Finding(name, "ok", check())
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


def _database() -> str:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    if connection.vendor == "sqlite":
        where = str(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            if cursor.fetchone()[0] != "ok":
                raise Bad(f"{where} is damaged: restore a backup")
    else:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            where = f"PostgreSQL {cursor.fetchone()[0]}"
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise Bad(
            f"{where}: {len(missing)} migrations are missing. `staffroom start` or `staffroom prepare` makes them."
        )
    return f"{where}, all migrations made"


def _files() -> str:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    name = default_storage.save(f"doctor/{time.time_ns()}", ContentFile(b"well"))
    try:
        with default_storage.open(name) as file:
            if file.read() != b"well":
                raise Bad("what is written to the files cannot be read again")
    finally:
        default_storage.delete(name)
    return (
        "a bucket, written and read"
        if options.get("files_url")
        else f"{options.data_folder() / 'files'}, written and read"
    )


def _redis() -> str:
    if not options.get("redis_url"):
        if options.get("web_processes") > 1:
            raise Odd(
                "web_processes is more than one, but redis_url is empty: limits are counted in each process by itself"
            )
        return "not used"
    from django.core.cache import cache

    cache.set("doctor", "well", 10)
    if cache.get("doctor") != "well":
        raise Bad("what is written to Redis cannot be read again")
    import channels_redis  # noqa: F401

    return "written and read"


def _mail() -> str:
    if not options.get("email_url"):
        raise Odd(f"no mail leaves: it is written to {options.data_folder() / 'mail'}. Set email_url.")
    from django.core.mail import get_connection

    connection = get_connection(timeout=10)
    connection.open()
    connection.close()
    return "the mail server lets us in"


def _worker() -> str:
    from django.utils import timezone

    from staffroom.jobs.models import Job
    from staffroom.jobs.queries import live_workers

    live = live_workers().count()
    late = Job.objects.filter(state=Job.State.WAITING, next_try_at__lt=timezone.now()).count()
    failed = Job.objects.filter(state=Job.State.FAILED).count()
    words = f"{live} at work, {late} jobs due, {failed} failed"
    if not live:
        raise Odd(f"{words}. `staffroom start` brings one; or run `staffroom worker`.")
    return words


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


def _disk() -> str:
    free = shutil.disk_usage(options.data_folder()).free / GIGABYTE
    if free < 1:
        raise Bad(f"{free:.1f} GB free in {options.data_folder()}: uploads are refused soon")
    if free < 10:
        raise Odd(f"{free:.1f} GB free in {options.data_folder()}: an hour of video needs about 1 GB")
    return f"{free:.0f} GB free"


def _clock() -> str:
    """Against the database server when there is one, else only for sense: one-time codes fail when the clock is off."""
    from django.db import connection

    now = datetime.now(UTC)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
            off = abs((cursor.fetchone()[0] - now).total_seconds())
        if off > 5:
            raise Bad(f"it differs by {off:.0f} seconds from the database server's")
        return "agrees with the database server's"
    newest = max((path.stat().st_mtime for path in options.data_folder().iterdir()), default=0)
    if newest > now.timestamp() + 60:
        raise Bad("it is behind the files of the data folder: set the clock")
    return now.strftime("%Y-%m-%d %H:%M UTC")


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


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "files": _files,
    "bytes": _bytes_in_order,
    "redis": _redis,
    "mail": _mail,
    "worker": _worker,
    "front end": _front_end,
    "disk": _disk,
    "clock": _clock,
    "https": _https,
    "site": _site,
}
