"""How each part that the site runs on is: for the page of administrators and for `staffroom doctor`, in the same words.

A part is ok, a warning (it works, but somebody should look) or a failure (something people do does not work). Each fault says what
to do. Parts outside of the database are asked in threads with a deadline, so that one that hangs does not hang the page.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from staffroom import options
from staffroom.home import engines
from staffroom.jobs import queries as jobs
from staffroom.jobs.heartbeat import clock_ms
from staffroom.jobs.models import Process
from staffroom.logs import masked
from staffroom.records import lake as lake_of_ledgers
from staffroom.records import months

OK, WARNING, FAILURE = "ok", "warning", "failure"
GIGABYTE = 1024**3
DEADLINE_S = 8.0
# Leases, links and one-time codes bear a little difference between clocks.
CLOCK_ODD_MS, CLOCK_BAD_MS = 1000, 5000
LATE = timedelta(minutes=5)
LAKE_LATE = timedelta(hours=6)
DISK_BAD_BYTES, DISK_ODD_BYTES = GIGABYTE, 10 * GIGABYTE

type Facts = list[tuple[str, str]]

NAMES = {
    "database": gettext_lazy("Database"),
    "redis": gettext_lazy("Redis"),
    "files": gettext_lazy("Files"),
    "processes": gettext_lazy("Processes"),
    "queue": gettext_lazy("Queue"),
    "lake": gettext_lazy("Lake"),
    "clock": gettext_lazy("Clocks"),
    "disk": gettext_lazy("Disks"),
    "mail": gettext_lazy("Mail"),
}


@dataclass(frozen=True)
class Site:
    """Who is at work for this site, read once: parts outside of the database are asked in threads that do not ask it."""

    live: list[Process] = field(default_factory=list)
    lost: list[Process] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        return {each.host for each in self.live}

    def count(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.live)


def read_site() -> Site:
    """The processes; none where the database cannot say."""
    try:
        return Site(list(jobs.live_processes()), list(jobs.lost_processes()))
    except DatabaseError:
        return Site()


@dataclass(frozen=True)
class Part:
    """What was found of one part: in a sentence, what to do about it, and further facts."""

    state: str
    sentence: str
    advice: str = ""
    facts: Facts = field(default_factory=list)
    name: str = ""

    @property
    def title(self) -> str:
        return str(NAMES.get(self.name, self.name))


def examine(name: str, site: Site) -> Part:
    """Look at one part. Whatever goes wrong on the way is what was found, without passwords."""
    try:
        found = CHECKS[name](site)
    except Exception as error:
        words = masked(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
        found = Part(FAILURE, Truncator(words).chars(300), FIRST_AID.get(name, ""))
    return Part(found.state, found.sentence, str(found.advice), found.facts, name)


def examine_all() -> list[Part]:
    """All parts, in the order in which they need each other. Those outside of the database are asked at the same time."""
    site = read_site()
    pool = ThreadPoolExecutor(len(OUTSIDE), thread_name_prefix="part")
    asked: dict[str, Future[Part]] = {name: pool.submit(examine, name, site) for name in OUTSIDE}
    until = time.monotonic() + DEADLINE_S
    found = {name: examine(name, site) for name in CHECKS if name not in OUTSIDE}
    for name, answer in asked.items():
        try:
            found[name] = answer.result(max(0.1, until - time.monotonic()))
        except TimeoutError:
            words = _("It did not answer within %(seconds)d seconds.") % {"seconds": DEADLINE_S}
            found[name] = Part(FAILURE, words, str(FIRST_AID.get(name, "")), [], name)
    pool.shutdown(wait=False)
    return [found[name] for name in CHECKS]


def database(site: Site) -> Part:
    """Kind, version, size, what waits in it, and whether it was prepared for this program."""
    found = engines.look()
    facts: Facts = [(_("Size"), size(found.size)), *found.facts]
    if found.damage:
        return Part(FAILURE, f"{found.kind}: {found.damage}", _("Bring a backup back."), facts)
    missing = engines.missing_migrations()
    if missing:
        words = _("%(kind)s: %(count)d migrations are missing.") % {"kind": found.kind, "count": len(missing)}
        return Part(FAILURE, words, _("Run `staffroom prepare`, or `staffroom start`, which does it first."), facts)
    if missing_months := months_of(found.kind, facts):
        return missing_months
    if found.oldest_s > 600:
        words = _("%(kind)s: somebody has kept a transaction open for %(minutes)d minutes.")
        told = words % {"kind": found.kind, "minutes": found.oldest_s // 60}
        advice = _("Find it in pg_stat_activity and end it: rows cannot be tidied away meanwhile.")
        return Part(WARNING, told, advice, facts)
    if found.connections and found.connections > 0.8 * found.most_connections:
        words = _("%(kind)s: %(count)d of %(most)d connections are taken.")
        told = words % {"kind": found.kind, "count": found.connections, "most": found.most_connections}
        return Part(WARNING, told, _("Raise max_connections, or lower web_threads or web_processes."), facts)
    return Part(OK, _("%(kind)s, all migrations made") % {"kind": found.kind}, "", facts)


def months_of(kind: str, facts: Facts) -> Part | None:
    """Whether the coming months of the ledger have their tables; nothing on a database that needs none, and where all is well."""
    found = months.state()
    if found is None:
        return None
    facts.append((_("Months of the ledger made through"), f"{found.last:%Y-%m}" if found.last else _("none")))
    advice = _("A worker makes them every day, and `staffroom prepare` at once: see whether any is at work.")
    if found.has_rest:
        words = _("%(kind)s: entries stand outside of their months' tables.")
    elif found.ahead < months.AHEAD:
        words = _("%(kind)s: tables of the ledger's coming months are missing.")
    else:
        return None
    return Part(FAILURE if found.ahead < 1 else WARNING, words % {"kind": kind}, advice, facts)


def redis(site: Site) -> Part:
    """What web processes share: counted rates, live notices, remembered answers."""
    if not settings.REDIS_URL:
        if max(site.count(Process.Kind.WEB), options.get("web_processes")) > 1:
            words = _(
                "redis_url is empty, but more than one web process serves this site: each counts limits by itself."
            )
            return Part(WARNING, words, _("Set redis_url to the same Redis or Valkey for all of them."))
        return Part(OK, _("not used"))
    import channels_redis  # noqa: F401
    from redis import Redis

    with Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as server:
        begun = time.perf_counter()
        server.set("staffroom-health", "well", ex=10)
        if server.get("staffroom-health") != b"well":
            return Part(FAILURE, _("What is written to Redis cannot be read again."), str(FIRST_AID["redis"]))
        took_ms = 1000 * (time.perf_counter() - begun)
        told: dict[str, Any] = server.info()
    kind = "Valkey" if "valkey_version" in told else "Redis"
    facts: Facts = [
        (_("Memory"), size(told.get("used_memory", 0))),
        (_("Connections"), number_format(told.get("connected_clients", 0))),
    ]
    version = told.get("valkey_version") or told.get("redis_version", "")
    words = _("%(kind)s %(version)s, written and read in %(ms).0f ms")
    return Part(OK, words % {"kind": kind, "version": version, "ms": took_ms}, "", facts)


def files(site: Site) -> Part:
    """Whether files can be written and read where they lie."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    begun = time.perf_counter()
    name = default_storage.save(f"doctor/{time.time_ns()}", ContentFile(b"well"))
    try:
        with default_storage.open(name) as file:
            is_well = file.read() == b"well"
    finally:
        default_storage.delete(name)
    if not is_well:
        return Part(FAILURE, _("What is written to the files cannot be read again."), str(FIRST_AID["files"]))
    is_bucket = bool(options.get("files_url"))
    where = _("a bucket") if is_bucket else str(settings.DATA / "files")
    if not is_bucket and len(site.hosts) > 1:
        words = _("Processes run on %(count)d hosts, but files lie in a folder of this one.") % {
            "count": len(site.hosts)
        }
        return Part(WARNING, words, _("Set files_url to a bucket, unless all hosts share one data folder."))
    took_ms = 1000 * (time.perf_counter() - begun)
    return Part(OK, _("%(where)s, written and read in %(ms).0f ms") % {"where": where, "ms": took_ms})


def processes(site: Site) -> Part:
    """Who is at work, on which host, by which version, and who fell silent."""
    live, lost, workers = site.live, site.lost, site.count(Process.Kind.WORKER)
    words = _("workers: %(workers)d at work; web processes: %(webs)d") % {
        "workers": workers, "webs": len(live) - workers,
    }  # fmt: skip
    facts: Facts = [(_("Lost"), described(each)) for each in lost] + [(_("At work"), described(each)) for each in live]
    if not workers:
        advice = _("`staffroom start` brings one; or run `staffroom worker`. Jobs wait until then.")
        return Part(WARNING, words, advice, facts)
    if lost:
        told = ngettext("%(words)s; one is lost: %(who)s", "%(words)s; %(count)d are lost: %(who)s", len(lost))
        who = ", ".join(
            _("%(kind)s on %(host)s") % {"kind": each.get_kind_display(), "host": each.host} for each in lost[:5]
        )
        advice = _(
            "Look at that machine: it was killed or is out of reach. Its jobs have been taken over. Lost ones are told for a day."
        )
        return Part(WARNING, told % {"words": words, "count": len(lost), "who": who}, advice, facts)
    if len(versions := sorted({each.version for each in live})) > 1:
        told = _("%(words)s, of different versions: %(versions)s") % {"words": words, "versions": ", ".join(versions)}
        return Part(WARNING, told, _("Restart those of the older version."), facts)
    return Part(OK, words, "", facts)


def described(process: Process) -> str:
    """One process in a line."""
    words = _("%(kind)s on %(host)s, process %(pid)d, version %(version)s, since %(since)s, last heard of %(ago)s ago")
    return words % {
        "kind": process.get_kind_display(), "host": process.host, "pid": process.pid, "version": process.version,
        "since": moment(process.started_at), "ago": timesince(process.seen_at),
    }  # fmt: skip


def queue(site: Site) -> Part:
    """What waits to be done, since when, what failed and whose worker vanished."""
    found = jobs.queue()
    waits = timezone.now() - found.oldest_due_at if found.oldest_due_at else timedelta(0)
    facts: Facts = [
        (_("Waiting"), number_format(found.waiting)),
        (_("Oldest that is due"), timesince(found.oldest_due_at) if found.oldest_due_at else _("none")),
        (_("Running"), number_format(found.running)),
        (_("Failed"), number_format(found.failed)),
        (_("Leases lost, taken over in a day"), number_format(found.taken_over)),
        (_("Leases lost, not yet taken over"), number_format(found.silent)),
    ]
    words = _("%(due)d jobs due, %(failed)d failed") % {"due": found.due, "failed": found.failed}
    if found.oldest_due_at and waits > LATE:
        advice = _("Start more workers: worker_processes, or `staffroom worker` on another machine.")
        return Part(WARNING, _("%(words)s; the oldest waits for %(time)s") % {
            "words": words, "time": timesince(found.oldest_due_at)}, advice, facts)  # fmt: skip
    if found.failed:
        return Part(WARNING, words, _("The page Jobs says why each failed, and can try it again."), facts)
    return Part(OK, words, "", facts)


def lake(site: Site) -> Part:
    """How far the lake is behind the ledgers."""
    found = lake_of_ledgers.standing()
    if found.newest_month is None:
        words = _("nothing written yet; %(count)s entries wait") % {"count": number_format(found.behind)}
        return Part(OK, words)
    facts: Facts = [
        (_("Newest month"), f"{found.newest_month:%Y-%m}"),
        (_("Entries in it"), number_format(found.rows)),
        (_("Last written"), moment(found.written_at) if found.written_at else "-"),
        (_("Months that have changed since"), number_format(found.marked_months)),
    ]
    words = _("newest month %(month)s, behind by %(count)s entries") % {
        "month": f"{found.newest_month:%Y-%m}", "count": number_format(found.behind),
    }  # fmt: skip
    if found.behind_since and timezone.now() - found.behind_since > LAKE_LATE:
        return Part(
            WARNING, words, _("It is written by the workers: see whether any is at work, and what failed."), facts
        )
    return Part(OK, words, "", facts)


def clock(site: Site) -> Part:
    """How far the hosts' clocks are from the database's, by which all are judged."""
    clocks = {each.host: each.clock_ms for each in site.live if each.clock_ms is not None}
    here = clock_ms()
    if here is None:
        return Part(OK, _("one machine, one clock: %(now)s") % {"now": moment(timezone.now())})
    clocks.setdefault(socket.gethostname()[:100], here)
    facts: Facts = [(host, _("%(ms)+d ms") % {"ms": ms}) for host, ms in sorted(clocks.items())]
    worst = max(clocks, key=lambda host: abs(clocks[host]))
    off_ms = abs(clocks[worst])
    if off_ms < CLOCK_ODD_MS:
        return Part(OK, _("all agree with the database server's within %(ms)d ms") % {"ms": off_ms}, "", facts)
    words = _("%(host)s differs by %(seconds).1f seconds from the database server") % {
        "host": worst, "seconds": off_ms / 1000,
    }  # fmt: skip
    advice = _("Let every host keep time by NTP: leases, links and one-time codes are judged by their clocks.")
    return Part(FAILURE if off_ms > CLOCK_BAD_MS else WARNING, words, advice, facts)


def disk(site: Site) -> Part:
    """Free disk where each host keeps what arrives and what is being made."""
    free = {each.host: each.free_bytes for each in site.live if each.free_bytes is not None}
    free.setdefault(socket.gethostname()[:100], shutil.disk_usage(settings.DATA).free)
    facts: Facts = [(host, size(left)) for host, left in sorted(free.items())]
    host = min(free, key=lambda each: free[each])
    words = _("%(free)s free") % {"free": size(free[host])}
    if free[host] >= DISK_ODD_BYTES:
        return Part(OK, words, "", facts)
    told = _("%(words)s on %(host)s") % {"words": words, "host": host}
    if free[host] < DISK_BAD_BYTES:
        return Part(FAILURE, told, _("Make room: uploads are refused soon."), facts)
    return Part(WARNING, told, _("An hour of video needs about 1 GB."), facts)


def mail(site: Site) -> Part:
    """Whether mail can leave."""
    if not options.get("email_url"):
        words = _("no mail leaves: it is written to %(folder)s") % {"folder": settings.DATA / "mail"}
        return Part(WARNING, words, _("Set email_url."))
    from django.core.mail import get_connection

    link: Any = get_connection(timeout=5)
    link.open()
    link.close()
    return Part(OK, _("the mail server lets us in"))


def size(count: int | None) -> str:
    """Bytes in words."""
    if count is None:
        return "-"
    return f"{count / GIGABYTE:.1f} GB" if count >= GIGABYTE else f"{count / 1024**2:.0f} MB"


def moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


CHECKS: dict[str, Callable[[Site], Part]] = {
    "database": database, "redis": redis, "files": files, "processes": processes, "queue": queue, "lake": lake,
    "clock": clock, "disk": disk, "mail": mail,
}  # fmt: skip
OUTSIDE = ("redis", "files", "mail")
FIRST_AID: dict[str, Any] = {
    "database": gettext_lazy("See that the database server runs and that database_url names it."),
    "redis": gettext_lazy("See that Redis runs and that redis_url names it. Pages go on without live notices."),
    "files": gettext_lazy("See that the bucket or folder of files_url can be reached, is writable, and has room."),
    "mail": gettext_lazy("See that email_url names a server that lets us in. Mails wait as jobs and are tried again."),
}
