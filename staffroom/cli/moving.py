"""Things brought in and taken out by the host: rosters, outcomes, frameworks, exports, the first administrator."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import UUID

from staffroom.cli import Failure, Mistake
from staffroom.cli.preparing import ensure_prepared, set_up

if TYPE_CHECKING:
    from staffroom.people.models import Organization, Person, RosterImport


def import_roster(told: argparse.Namespace) -> int:
    """Take a roster in; bad rows are printed, the rest is done."""
    path = readable(told.file)
    district = _district(told.district)
    from staffroom.people.actions import receive_roster
    from staffroom.people.models import RosterImport
    from staffroom.people.rosters.roster import RosterRefused

    try:
        with path.open("rb") as file:
            by = _administrator(told.by, district)
            done = receive_roster(by=by, district=district, name=path.name, file=file)
    except RosterRefused as refusal:
        raise Failure(f"{path.name} was not taken in: {refusal}") from refusal
    _do_as_a_job(done, told.may_end_most)
    if done.state != RosterImport.State.DONE:
        raise Failure(f"{path.name} was not taken in: {done.message}")
    problems = done.problems.count()
    for problem in done.problems.all()[:100]:
        print(problem)
    if problems > 100:
        print(f"… and {problems - 100} more; all stand on the import's page.")
    print(f"{path.name} was taken in. {_roster_in_words(done)}")
    return 0


def _roster_in_words(done: RosterImport) -> str:
    """What the roster names and what it changed, in the words of its page."""
    from staffroom.people.templatetags.people import done_in_words, found_in_words

    found = ", ".join(f"{label.lower()} {count:,}" for label, count in found_in_words(done.counts))
    changed = ", ".join(f"{label} {count:,}" for label, count in done_in_words(done.counts))
    return f"It names: {found}. " + (f"It changed: {changed}." if changed else "Everything was so already.")


def _do_as_a_job(waiting: RosterImport, may_end_most: bool) -> None:
    """Take it in here; when this process is killed meanwhile, a worker takes it over."""
    from staffroom.jobs.actions import later
    from staffroom.jobs.worker import WorkerLoop
    from staffroom.people import tasks

    waiting.may_end_most = may_end_most
    waiting.save(update_fields=["may_end_most"])
    WorkerLoop().do_one(later(tasks.take_roster, label=waiting.name, pk=waiting.pk))
    waiting.refresh_from_db()


def import_outcomes(told: argparse.Namespace) -> int:
    """Take results of an instrument in; the columns' names say what they mean."""
    path = readable(told.file)
    district = _district(told.district)
    from staffroom.records.actions import import_file
    from staffroom.records.models import Instrument

    instrument = Instrument.objects.filter(organization=district, name__iexact=told.instrument).first()
    if instrument is None:
        known = ", ".join(Instrument.objects.filter(organization=district).values_list("name", flat=True))
        raise Mistake(f"{district} has no instrument “{told.instrument}”. It has: {known or 'none yet'}")
    by = _administrator(told.by, district)
    if by is None:
        raise Mistake(
            f"nobody administers {district} yet: staffroom create-administrator EMAIL --district “{district}”"
        )
    done = import_file(by=by, organization=district, path=path, instrument=instrument)
    if done.state != done.State.DONE:
        raise Failure(f"{path.name} was not taken in: {done.message}")
    counts = done.counts
    for problem in done.problems[:100]:
        where = f"line {problem['line']}" + (f", {problem['column']}" if problem["column"] else "")
        print(f"{where}: {problem['reason']}")
    if counts["bad"] > 100:
        print(f"… and {counts['bad'] - 100:,} more; the import's page lists the first thousand.")
    print(
        f"{path.name} was taken in: {counts['added']:,} results were added, {counts['corrected']:,} corrected, "
        f"{counts['unchanged']:,} were there already, {counts['bad']:,} rows could not be used."
    )
    return 0


def import_framework(told: argparse.Namespace) -> int:
    """Take a framework in, and publish it when asked to."""
    path = readable(told.file)
    district = _district(told.district)
    by = _administrator(told.by, district)
    if by is None:
        raise Mistake(
            f"nobody administers {district} yet: staffroom create-administrator EMAIL --district “{district}”"
        )
    from staffroom.frameworks import actions
    from staffroom.frameworks.outlines import BadFramework

    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            version = actions.import_case(by=by, organization=district, document=json.loads(text))
        else:
            title = told.title or path.stem.replace("-", " ").replace("_", " ").capitalize()
            version = actions.import_csv(by=by, organization=district, text=text, title=title)
    except (BadFramework, json.JSONDecodeError, UnicodeDecodeError) as refusal:
        raise Failure(f"{path.name} was not taken in: {refusal}") from refusal
    if told.publish:
        actions.publish(by=by, version=version)
    print(f"{version}: {'published' if told.publish else 'taken in; publish it on its page, or with --publish'}")
    return 0


def _as_key(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def export_person(told: argparse.Namespace) -> int:
    """Everything about one person, as they would get it themselves."""
    prepared()
    from django.db.models import Q

    from staffroom.home.exporting import write_export
    from staffroom.people.models import Person

    found = Person.objects.filter(
        Q(email__iexact=told.person) | Q(source_id=told.person) | Q(key=_as_key(told.person))
    )[:2]
    if len(found) != 1:
        raise Mistake(
            f"{'several people here have' if found else 'nobody here has'} the address, number or key {told.person}"
        )
    person = found[0]
    with new_file(told.file) as file:
        counts = write_export(person, file)
    print(f"{told.file}: {counts['rows']:,} things and {counts['files']:,} files of {person}")
    return 0


def export_district(told: argparse.Namespace) -> int:
    """Everything about a district, in open formats."""
    district = _district(told.district)
    from staffroom.cli.districts import write_district

    with new_file(told.file) as file:
        counts = write_district(district, file)
    print(f"{told.file}: {_counted(counts)}")
    return 0


def create_administrator(told: argparse.Namespace) -> int:
    """Found a district if there is none, and print a link by which its administrator joins."""
    from django.core.validators import validate_email

    prepared()
    validate_email(told.email)
    district = _district(told.district, may_found=True)
    secret = _invite(told.email.lower(), district)
    from django.conf import settings
    from django.urls import reverse

    print(
        f"{told.email} joins as administrator of {district} by this link, once, within {settings.INVITATION_DAYS} days:\n"
    )
    print(f"  {settings.SITE_URL}{reverse('people:join', args=[secret])}\n")
    return 0


def _invite(email: str, district: Organization) -> str:
    """An invitation by nobody: whoever can run this has the database anyway. Later ones are invited on the site."""
    import secrets
    from datetime import timedelta

    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from staffroom.people.actions.invitations import hash_of
    from staffroom.people.models import Invitation, Role
    from staffroom.people.queries import open_invitations

    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        same = open_invitations().filter(email=email, organization=district, role=Role.ADMINISTRATOR)
        same.update(withdrawn_at=timezone.now())
        Invitation.objects.create(
            email=email,
            organization=district,
            role=Role.ADMINISTRATOR,
            secret_hash=hash_of(secret),
            expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS),
        )
    return secret


def prepared() -> None:
    ensure_prepared()
    set_up()


def readable(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise Mistake(f"there is no file {path}")
    return path


@contextmanager
def new_file(name: str) -> Iterator[IO[bytes]]:
    """A file that appears whole or not at all, and replaces nothing."""
    path = Path(name).expanduser()
    if path.exists():
        raise Mistake(f"{path} exists already; choose another name")
    if not path.parent.is_dir():
        raise Mistake(f"there is no folder {path.parent}")
    part = path.with_name(f".{path.name}.part")
    try:
        with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _district(name: str | None, *, may_found: bool = False) -> Organization:
    """The district of that name or slug; without a name the only one there is."""
    prepared()
    from django.db.models import Q

    from staffroom.people.actions.organizations import free_slug
    from staffroom.people.models import Organization

    districts = Organization.objects.filter(kind=Organization.Kind.DISTRICT)
    found = list(districts.filter(Q(name__iexact=name) | Q(slug=name)) if name else districts[:20])
    if len(found) == 1:
        return found[0]
    if may_found and name and not found:
        return Organization.objects.create(kind=Organization.Kind.DISTRICT, name=name, slug=free_slug(name))
    known = ", ".join(str(district) for district in districts[:20])
    if name:
        raise Mistake(f"there is no one district called “{name}”. There are: {known or 'none yet'}")
    raise Mistake(f"say which district: --district NAME. There are: {known or 'none yet'}")


def _administrator(email: str | None, district: Organization) -> Person | None:
    """Who does it: the one that was named, or the first administrator of the district or above it."""
    from staffroom.people.models import Membership, Person, Role

    if email:
        person = Person.objects.filter(email__iexact=email).first()
        if person is None:
            raise Mistake(f"nobody here has the address {email}")
        return person
    held = Membership.objects.filter(role=Role.ADMINISTRATOR, organization__in=district.ancestor_pks)
    first = held.filter(ends_on=None).order_by("pk").select_related("person").first()
    return first.person if first else None


def _counted(counts: object) -> str:
    """``{"people": {"made": 3}}`` as words."""
    if not isinstance(counts, dict):
        return ""
    return "; ".join(
        f"{name}: {', '.join(f'{n} {what}' for what, n in value.items()) if isinstance(value, dict) else value}"
        for name, value in counts.items()
    )
