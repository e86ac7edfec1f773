"""Seats that teachers ask for themselves: who is told, who may ask and until when, what each sees, and how anybody draws it again."""

from __future__ import annotations

import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from staffroom.conversations.models import Notice
from staffroom.jobs.actions import run_waiting
from staffroom.knowing.impact import actions, queries, rules, tasks
from staffroom.knowing.impact.models import Lot, Lottery, Offer
from staffroom.people.models import Course, Enrollment, Membership, Person, Role, Section
from staffroom.records.actions import make_activity
from staffroom.records.models import Activity
from tests.cast import Cast

pytestmark = pytest.mark.django_db
MOST_QUESTIONS = 12
TEACHERS = ("amara", "ben", "tom")


def day(days: int) -> Any:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def activity(cast: Cast) -> Activity:
    return make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="coaching")


@pytest.fixture
def lottery(cast: Cast, activity: Activity) -> Lottery:
    """One seat in two weeks, one in a year; nobody asks yet."""
    waves = [
        actions.Round(name="Now", seats=1, begins_on=day(14)),
        actions.Round(name="Next", seats=1, begins_on=day(300)),
    ]
    return actions.start_lottery(
        by=cast.denise, organization=cast.district, activity=activity, name="Coaching seats", waves=waves
    )


@pytest.fixture
def calling(cast: Cast, lottery: Lottery) -> Lottery:
    return actions.open_applications(by=cast.denise, lottery=lottery, until=day(7))


def closed(lottery: Lottery) -> Lottery:
    """The same after its last day for asking."""
    Lottery.objects.filter(pk=lottery.pk).update(apply_until=day(-1))
    lottery.refresh_from_db()
    return lottery


def drawn(cast: Cast, lottery: Lottery) -> Lottery:
    actions.announce(by=cast.denise, lottery=closed(lottery), number_source="Saturday's numbers")
    return actions.draw(by=cast.denise, lottery=lottery, number="4 8 15")


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def read(person: Person, address: str) -> str:
    return signed_in(person).get(address).content.decode()


# --- Who is told, who may ask ------------------------------------------------------------------------------------------------------


def test_teachers_of_the_organization_are_told_once_and_find_it_where_they_look(cast: Cast, calling: Lottery) -> None:
    run_waiting()
    assert tasks.tell_of_applications.func(calling.pk) == 0
    told = Notice.objects.filter(kind="seats_open")
    assert set(told.values_list("recipient", flat=True)) == {getattr(cast, name).pk for name in TEACHERS}
    front = read(cast.amara, "/")
    assert reverse("lotteries:waiting") in front
    assert "Coaching seats" in read(cast.amara, reverse("lotteries:waiting"))
    assert "Coaching seats" in read(cast.amara, reverse("lotteries:lotteries"))
    assert reverse("lotteries:lotteries") in front, "it is in the navigation"
    assert "Ask for a seat" in read(cast.amara, calling.get_absolute_url())
    assert "Coaching seats" in read(cast.denise, reverse("lotteries:on_activity", args=[calling.activity.key]))


def test_whom_it_does_not_concern_sees_nothing_and_may_not_ask(cast: Cast, calling: Lottery, lottery: Lottery) -> None:
    for name, person in cast.people.items():
        many = set(Lottery.objects.filter(rules.lotteries_seeable_by(person)))
        assert many == ({calling} if rules.may_see_lottery(person, calling) else set()), name
        may_ask = set(Lottery.objects.filter(rules.lotteries_open_to(person)))
        assert may_ask == ({calling} if name in TEACHERS else set()), name
        assert rules.may_ask_for_seat(person, calling) == (name in TEACHERS), name
        if name not in TEACHERS:
            with pytest.raises(PermissionDenied):
                actions.ask_for_seat(by=person, lottery=calling)
    for stranger in (cast.vera, cast.priya, cast.grace):
        for page in ("ask", "withdraw", "open", "balance", "list", "people_csv", "check"):
            address = reverse(f"lotteries:{page}", args=[calling.slug])
            assert signed_in(stranger).post(address).status_code in (404, 405), page
            assert signed_in(stranger).get(address).status_code in (404, 405), page


def test_before_it_is_opened_nobody_may_ask(cast: Cast, lottery: Lottery) -> None:
    with pytest.raises(PermissionDenied):
        actions.ask_for_seat(by=cast.amara, lottery=lottery)
    assert signed_in(cast.amara).get(lottery.get_absolute_url()).status_code == 404


def test_only_who_runs_it_opens_it_and_a_day_that_was_read_comes_no_sooner(cast: Cast, lottery: Lottery) -> None:
    for person in (cast.amara, cast.priya, cast.grace, cast.vera):
        with pytest.raises(PermissionDenied):
            actions.open_applications(by=person, lottery=lottery, until=day(7))
    for too_soon_or_late in (day(-1), day(14)):
        with pytest.raises(ValidationError):
            actions.open_applications(by=cast.denise, lottery=lottery, until=too_soon_or_late)
    actions.open_applications(by=cast.denise, lottery=lottery, until=day(7))
    with pytest.raises(ValidationError, match="sooner"):
        actions.open_applications(by=cast.denise, lottery=lottery, until=day(6))
    client = signed_in(cast.denise)
    wrong = client.post(reverse("lotteries:open", args=[lottery.slug]), {"until": day(6).isoformat()})
    assert wrong.status_code == 422
    assert "cannot come sooner" in wrong.content.decode()
    assert client.post(reverse("lotteries:open", args=[lottery.slug]), {"until": day(9).isoformat()}).status_code == 302
    lottery.refresh_from_db()
    assert lottery.apply_until == day(9)


def test_as_long_as_teachers_may_ask_it_is_not_announced_and_then_who_runs_it_is_told(
    cast: Cast, calling: Lottery
) -> None:
    for person in (cast.amara, cast.tom):
        actions.ask_for_seat(by=person, lottery=calling)
    with pytest.raises(ValidationError, match="Teachers may ask until"):
        actions.announce(by=cast.denise, lottery=calling, number_source="x")
    assert tasks.close_due.func() == 0
    closed(calling)
    assert [tasks.close_due.func(), tasks.close_due.func()] == [1, 0]
    with pytest.raises(ValidationError, match="over"):
        actions.ask_for_seat(by=cast.ben, lottery=calling)
    assert "You did not ask" in read(cast.ben, calling.get_absolute_url())


# --- Asking and withdrawing --------------------------------------------------------------------------------------------------------


def test_one_tap_asks_and_one_withdraws(cast: Cast, calling: Lottery) -> None:
    run_waiting()
    client = signed_in(cast.amara)
    for _twice in range(2):
        assert client.post(reverse("lotteries:ask", args=[calling.slug])).status_code == 302
    own = calling.applicants.get()
    assert (own.person, own.school, own.is_own) == (cast.amara, cast.alder, True)
    assert not Notice.objects.filter(recipient=cast.amara, kind="seats_open", read_at=None).exists()
    assert not queries.callings_for(cast.amara).exists()
    assert "You are on the list" in read(cast.amara, calling.get_absolute_url())
    client.post(reverse("lotteries:withdraw", args=[calling.slug]))
    assert not calling.applicants.exists()
    assert "Ask for a seat" in read(cast.amara, calling.get_absolute_url())


def test_what_teachers_have_read_is_not_changed_under_them(cast: Cast, calling: Lottery) -> None:
    actions.ask_for_seat(by=cast.amara, lottery=calling)
    with pytest.raises(ValidationError, match="stay as they were read"):
        actions.change_lottery(by=cast.denise, lottery=calling, waves=[], name="Other seats")
    actions.remove_applicant(by=cast.denise, lottery=calling, applicant=calling.applicants.get())
    assert Notice.objects.filter(recipient=cast.amara, kind="lottery_taken_off").exists()


def test_who_withdraws_after_the_announcement_keeps_the_list_true_and_her_seat_goes_to_the_next(
    cast: Cast, calling: Lottery
) -> None:
    for name in TEACHERS:
        actions.ask_for_seat(by=getattr(cast, name), lottery=calling)
    actions.announce(by=cast.denise, lottery=closed(calling), number_source="x")
    actions.withdraw(by=cast.tom, lottery=calling)
    assert "You have withdrawn" in read(cast.tom, calling.get_absolute_url())
    actions.ask_for_seat(by=cast.tom, lottery=calling)
    assert calling.applicants.filter(withdrawn_at=None).count() == 3, "until the draw one may come back"
    for name in ("tom", "ben"):
        actions.withdraw(by=getattr(cast, name), lottery=calling)
    actions.draw(by=cast.denise, lottery=calling, number="1")
    assert calling.lots.count() == 3
    assert [offer.applicant.person for offer in Offer.objects.filter(wave__number=1)] == [cast.amara]
    with pytest.raises(ValidationError, match="drawn"):
        actions.withdraw(by=cast.amara, lottery=calling)


def test_seats_are_shared_out_by_the_grades_of_the_roster(cast: Cast, calling: Lottery) -> None:
    Lottery.objects.filter(pk=calling.pk).update(blocks=Lottery.Blocks.GRADES, least_in_block=1)
    for name, grade in (("amara", "05"), ("tom", "KG,01"), ("ben", "4")):
        course = Course.objects.create(organization=cast.district, title=grade, grade=grade)
        section = Section.objects.create(school=cast.alder, course=course, title=grade)
        Enrollment.objects.filter(person=getattr(cast, name), role="teacher").delete()
        Enrollment.objects.create(section=section, person=getattr(cast, name), role="teacher")
        actions.ask_for_seat(by=getattr(cast, name), lottery=calling)
    actions.announce(by=cast.denise, lottery=closed(calling), number_source="x")
    blocks = {lot.applicants.get().person: lot.block for lot in Lot.objects.filter(lottery=calling)}
    assert blocks == {
        cast.amara: "grades 3 to 5", cast.ben: "grades 3 to 5", cast.tom: "kindergarten to grade 2"
    }  # fmt: skip


# --- Places, proof and power -------------------------------------------------------------------------------------------------------


def test_after_the_draw_each_sees_her_own_place_and_when_her_turn_comes(cast: Cast, calling: Lottery) -> None:
    for name in TEACHERS:
        actions.ask_for_seat(by=getattr(cast, name), lottery=calling)
    found = drawn(cast, calling)
    seen = {}
    for name in TEACHERS:
        person = getattr(cast, name)
        seen[person.applications.get(lottery=found).lot.allotment.wave] = page = read(person, found.get_absolute_url())
        assert not any(getattr(cast, other).family_name in page for other in TEACHERS if other != name)
    assert "A seat is offered to you" in seen[1]
    assert "You are invited by itself from" in seen[2]
    assert "0 are before you" in seen[2]
    assert "You are on the waitlist" in seen[0]
    assert "1 is before you" in seen[0]


def test_anybody_draws_it_again_with_the_command_of_the_page(cast: Cast, calling: Lottery, tmp_path: Path) -> None:
    for number in range(17):
        person = Person.objects.create_user(email=f"t{number}@r.example", given_name=f"T{number}", family_name="Z")
        place = cast.alder if number % 3 else cast.birch
        Membership.objects.create(person=person, organization=place, role=Role.TEACHER)
        actions.ask_for_seat(by=person, lottery=calling)
    calling.waves.filter(number=1).update(seats=7)
    calling.waves.filter(number=2).update(seats=4)
    found = drawn(cast, calling)
    client = signed_in(cast.amara)
    page = client.get(found.get_absolute_url()).content.decode()
    command = shlex.join(["--secret", found.secret, "--number", "4 8 15", "--seats", "7", "4"])
    assert escape(f"python3 redraw.py draw-{found.slug}.csv {command}") in page
    tickets = b"".join(client.get(reverse("lotteries:check", args=[found.slug])))  # type: ignore[arg-type]
    program = client.get(reverse("lotteries:redraw")).content
    (tmp_path / "redraw.py").write_bytes(program)
    ticket = queries.lots_of(found)[3]

    def run(content: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / f"draw-{found.slug}.csv").write_bytes(content)
        said = [sys.executable, "-I", "redraw.py", f"draw-{found.slug}.csv", *shlex.split(command)]
        return subprocess.run(
            [*said, "--ticket", ticket.ticket], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    right = run(tickets)
    assert right.returncode == 0, right.stderr
    assert "17 tickets; all as in the file" in right.stdout
    for published in (found.list_sha256, found.secret_sha256, found.seed):
        assert published in right.stdout
    place = ticket.allotment
    assert f"{ticket.ticket}: place {place.position}, wave {place.wave or 'none yet'}" in right.stdout
    other = b"2" if place.wave != 2 else b"1"
    forged = tickets.replace(f"{place.position},{place.wave}".encode(), f"{place.position},".encode() + other)
    assert run(forged).returncode == 1


def test_what_could_be_seen_is_said_of_those_who_really_ask_and_few_are_not_counted_to_others(
    cast: Cast, calling: Lottery
) -> None:
    assert "Once you have chosen who takes part" in read(cast.denise, calling.get_absolute_url())
    actions.ask_for_seat(by=cast.tom, lottery=calling)
    assert "teacher asks so far" not in read(cast.amara, calling.get_absolute_url())
    for number in range(39):
        person = Person.objects.create_user(email=f"t{number}@r.example", given_name=f"T{number}", family_name="Z")
        Membership.objects.create(person=person, organization=cast.birch, role=Role.TEACHER)
        actions.ask_for_seat(by=person, lottery=calling)
    calling.waves.filter(number=1).update(seats=20)
    page = read(cast.denise, calling.get_absolute_url())
    assert "With 40 teachers, 20 of them first, you could see" in page
    assert "40 teachers ask so far" in read(cast.amara, calling.get_absolute_url())
    assert "T38 Z" not in page, "forty names stand there when they are asked for, in pages"
    names = reverse("lotteries:list", args=[calling.slug])
    assert "T38 Z" not in read(cast.denise, names)
    assert "T38 Z" in read(cast.denise, f"{names}?page=2")


def test_no_page_of_it_asks_more_than_twelve_questions(cast: Cast, calling: Lottery) -> None:
    for number in range(30):
        person = Person.objects.create_user(email=f"t{number}@r.example", given_name=f"T{number}", family_name="Z")
        Membership.objects.create(person=person, organization=cast.birch, role=Role.TEACHER)
        actions.ask_for_seat(by=person, lottery=calling)
    actions.ask_for_seat(by=cast.amara, lottery=calling)

    def most() -> int:
        pages = (calling.get_absolute_url(), reverse("lotteries:lotteries"), reverse("lotteries:waiting"))
        return max(asked(person, page) for person in (cast.denise, cast.amara, cast.tom) for page in pages)

    found = [most()]
    actions.announce(by=cast.denise, lottery=closed(calling), number_source="x")
    found.append(most())
    actions.draw(by=cast.denise, lottery=calling, number="1")
    found.append(most())
    assert max(found) <= MOST_QUESTIONS, found


def asked(person: Person, address: str) -> int:
    client = signed_in(person)
    client.get(address)
    with CaptureQueriesContext(connection) as counted:
        assert client.get(address).status_code == 200
    return len(counted)
