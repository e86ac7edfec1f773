"""Pages of studies and lotteries: what each person sees, what is kept of a wrong form, and how many questions they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.models import Lottery, Offer, Study
from staffroom.people.models import Membership, Person, Role
from staffroom.records.actions import make_activity, make_instrument
from staffroom.records.models import Activity, Instrument
from tests.cast import Cast

pytestmark = pytest.mark.django_db
MOST = 24


@pytest.fixture
def activity(cast: Cast) -> Activity:
    return make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="coaching")


@pytest.fixture
def instrument(cast: Cast) -> Instrument:
    return make_instrument(by=cast.denise, organization=cast.district, name="District math", kind="test")


def day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


@pytest.fixture
def lottery(cast: Cast, activity: Activity) -> Lottery:
    """One seat for three teachers."""
    waves = [actions.Round(name="Now", seats=1, begins_on=timezone.localdate() + timedelta(days=10))]
    made = actions.start_lottery(
        by=cast.denise, organization=cast.district, activity=activity, name="Coaching seats", waves=waves
    )
    actions.add_applicants(by=cast.denise, lottery=made, teachers=queries.teachers_at(cast.district), blocks={})
    return made


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer: Any) -> str:
    return answer.content.decode()


def test_a_lottery_is_set_up_announced_drawn_and_made_a_study_by_hand(
    cast: Cast, activity: Activity, instrument: Instrument
) -> None:
    client = signed_in(cast.denise)
    typed = {"organization": cast.district.pk, "activity": activity.pk, "name": "Seats", "unit": "teacher", "blocks": "none",
             "least_in_block": 4, "seats_1": 1, "begins_1": day(10), "notice_days": 28}  # fmt: skip
    assert client.post(reverse("lotteries:new"), typed).status_code == 302
    made = Lottery.objects.get()
    people = f"{cast.amara.email}\n{cast.tom.full_name}\nBen Castillo, grade 5"
    client.post(reverse("lotteries:add_people", args=[made.slug]), {"people": people})
    assert made.applicants.count() == 3
    client.post(reverse("lotteries:announce", args=[made.slug]), {"number_source": "Saturday's numbers"})
    client.post(reverse("lotteries:draw", args=[made.slug]), {"number": "1 2 3"})
    made.refresh_from_db()
    assert made.state == "drawn"
    assert (
        client.post(reverse("lotteries:make_study", args=[made.slug]), {"instrument": instrument.pk}).status_code == 302
    )
    assert Study.objects.get().lottery == made
    page = text(client.get(made.get_absolute_url()))
    assert "Amara Okafor" in page
    assert made.seed in page


def test_names_that_nobody_or_two_have_are_told_and_what_was_typed_stays(cast: Cast, lottery: Lottery) -> None:
    twin = Person.objects.create_user(email="t2@r.example", given_name="Tom", family_name="Lindqvist")
    Membership.objects.create(person=twin, organization=cast.alder, role=Role.TEACHER)
    answer = signed_in(cast.denise).post(
        reverse("lotteries:add_people", args=[lottery.slug]), {"people": "Tom Lindqvist\nNobody Atall\nt2@r.example"}
    )
    assert answer.status_code == 422
    page = text(answer)
    assert "Tom Lindqvist, Nobody Atall" in page
    assert "t2@r.example</textarea>" in page
    assert lottery.applicants.count() == 3


def test_a_teacher_sees_her_place_and_nobody_elses_name(cast: Cast, lottery: Lottery) -> None:
    actions.announce(by=cast.denise, lottery=lottery, number_source="x")
    client = signed_in(cast.amara)
    assert "has not been drawn yet" in text(client.get(lottery.get_absolute_url()))
    actions.draw(by=cast.denise, lottery=lottery, number="1")
    page = text(client.get(lottery.get_absolute_url()))
    own = lottery.applicants.get(person=cast.amara)
    assert own.lot is not None
    assert own.lot.ticket in page
    for person in (cast.tom, cast.ben):
        other = lottery.applicants.get(person=person)
        assert other.lot is not None
        assert person.family_name not in page
        assert other.lot.ticket not in page
    tickets = b"".join(client.get(reverse("lotteries:check", args=[lottery.slug]))).decode()
    assert own.lot.ticket in tickets
    assert "Castillo" not in tickets
    assert "Elementary" not in tickets
    assert client.get(reverse("lotteries:people_csv", args=[lottery.slug])).status_code == 404


def test_the_secret_is_told_after_the_draw_and_not_before(cast: Cast, lottery: Lottery) -> None:
    lottery = actions.announce(by=cast.denise, lottery=lottery, number_source="x")
    for person in (cast.denise, cast.amara):
        client = signed_in(person)
        before = text(client.get(lottery.get_absolute_url())) + text(client.get(f"/api/lotteries/{lottery.slug}"))
        assert lottery.secret not in before
        assert lottery.secret_sha256 in before
    actions.draw(by=cast.denise, lottery=lottery, number="1")
    assert lottery.secret in text(signed_in(cast.amara).get(lottery.get_absolute_url()))


def test_whoever_has_a_seat_leaves_it_and_the_next_is_invited(cast: Cast, lottery: Lottery) -> None:
    actions.announce(by=cast.denise, lottery=lottery, number_source="x")
    actions.draw(by=cast.denise, lottery=lottery, number="1")
    offer = Offer.objects.get()
    assert offer.applicant.person is not None
    client = signed_in(offer.applicant.person)
    assert "A seat is offered to you" in text(client.get(lottery.get_absolute_url()))
    client.post(reverse("lotteries:answer", args=[lottery.slug, offer.pk]), {"answer": "declined"})
    assert "You left the seat" in text(client.get(lottery.get_absolute_url()))
    assert Offer.objects.filter(is_moved_up=True).count() == 1


def test_a_wrong_form_keeps_what_was_typed_and_says_what_could_be_seen(cast: Cast, activity: Activity) -> None:
    typed = {"organization": cast.district.pk, "activity": activity.pk, "name": "Seats of spring", "seats_1": 2, "begins_1": day(40),
             "seats_2": 1, "begins_2": day(20), "unit": "teacher", "blocks": "none", "least_in_block": 4, "notice_days": 28}  # fmt: skip
    answer = signed_in(cast.denise).post(reverse("lotteries:new"), typed)
    assert answer.status_code == 422
    assert "Each wave begins after the one before" in text(answer)
    assert "Seats of spring" in text(answer)
    look = signed_in(cast.denise).post(reverse("lotteries:new"), {**typed, "look": "1"})
    assert look.status_code == 200
    assert "Too few to learn anything" in text(look)
    assert not Lottery.objects.exists()


def test_a_study_is_asked_registered_and_closed_by_hand(cast: Cast, activity: Activity, instrument: Instrument) -> None:
    client = signed_in(cast.rafael)
    typed = {"organization": cast.district.pk, "name": "Does it work?", "decision": "Go on or stop.", "activities": [activity.pk],
             "instrument": instrument.pk, "outcomes_from": day(10), "outcomes_until": day(200), "smallest_effect": "0.1",
             "groups": "Near: Alder Elementary", "controls": "notyet"}  # fmt: skip
    wrong = client.post(reverse("studies:new"), {**typed, "groups": "Near: Nowhere School"})
    assert wrong.status_code == 422
    assert "Nowhere School" in text(wrong)
    assert client.post(reverse("studies:new"), typed).status_code == 302
    made = Study.objects.get()
    assert made.subgroups == {"schools": {"Near": [{"key": str(cast.alder.key), "name": "Alder Elementary"}]}}
    client.post(reverse("studies:register", args=[made.slug]))
    version = made.versions.get()
    page = text(client.get(made.get_absolute_url()))
    assert version.sha256 in page
    assert "before the results" in page
    assert client.get(reverse("studies:protocol", args=[made.slug, 1])).content.decode() == version.text
    assert client.get(reverse("studies:result", args=[made.slug])).status_code == 404
    client.post(reverse("studies:close", args=[made.slug]), {"end": "withdrawn", "decision_taken": "No money."})
    assert "No money." in text(client.get(made.get_absolute_url()))
    assert client.get(reverse("studies:change", args=[made.slug])).status_code == 404


def test_many_cost_as_many_questions_as_few(
    cast: Cast, activity: Activity, instrument: Instrument, lottery: Lottery
) -> None:
    ask = {"organization": cast.district, "activities": [activity], "decision": "x", "instrument": instrument,
           "outcomes_from": timezone.localdate(), "outcomes_until": timezone.localdate()}  # fmt: skip
    actions.register_study(by=cast.denise, study=actions.start_study(by=cast.denise, name="First", **ask))

    def asked(address: str) -> int:
        client = signed_in(cast.denise)
        client.get(address)
        with CaptureQueriesContext(connection) as counted:
            assert client.get(address).status_code == 200
        return len(counted)

    pages = [reverse("studies:studies"), reverse("lotteries:lotteries"), lottery.get_absolute_url()]
    few = [asked(address) for address in pages]
    for number in range(8):
        actions.register_study(by=cast.denise, study=actions.start_study(by=cast.denise, name=f"Study {number}", **ask))
        waves = [actions.Round(name="Now", seats=1, begins_on=timezone.localdate())]
        actions.start_lottery(
            by=cast.denise, organization=cast.district, activity=activity, name=f"L{number}", waves=waves
        )
        person = Person.objects.create_user(email=f"n{number}@r.example", given_name=f"N{number}", family_name="Z")
        Membership.objects.create(person=person, organization=cast.alder, role=Role.TEACHER)
    actions.add_applicants(by=cast.denise, lottery=lottery, teachers=queries.teachers_at(cast.district), blocks={})
    assert [asked(address) for address in pages] == few
    assert max(few) <= MOST
