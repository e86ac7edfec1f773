"""Lotteries: what was announced stays, what is drawn is drawn once and can be checked, and free seats go to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from staffroom.conversations.models import Notice
from staffroom.knowing.impact import actions, queries, rules, tasks
from staffroom.knowing.impact.models import Allotment, Applicant, Lottery, Offer
from staffroom.knowing.impact.models.frozen import IsFrozen
from staffroom.knowing.impact.models.studies import fingerprint
from staffroom.measure.drawing_lots import allot, lots_of, seed_of, start_of
from staffroom.people.models import Membership, Person, Role
from staffroom.permissions import actions as permissions
from staffroom.records.actions import make_activity
from staffroom.records.models import Statement
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def today(days: int) -> Any:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def lottery(cast: Cast) -> Lottery:
    """Six seats now and four in half a year, for twelve teachers of two schools."""
    for number in range(9):
        person = Person.objects.create_user(email=f"t{number}@r.example", given_name=f"T{number}", family_name="Z")
        place = cast.alder if number % 3 else cast.birch
        Membership.objects.create(person=person, organization=place, role=Role.TEACHER)
    activity = make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="coaching")
    made = actions.start_lottery(
        by=cast.denise, organization=cast.district, activity=activity, name="Coaching seats", least_in_block=3,
        waves=[
            actions.Round(name="Now", seats=6, begins_on=today(14)),
            actions.Round(name="Next term", seats=4, begins_on=today(180)),
        ],
    )  # fmt: skip
    actions.add_applicants(by=cast.denise, lottery=made, teachers=queries.teachers_at(cast.district), blocks={})
    return made


@pytest.fixture
def drawn(cast: Cast, lottery: Lottery) -> Lottery:
    actions.announce(by=cast.denise, lottery=lottery, number_source="The state lottery of Saturday")
    return actions.draw(by=cast.denise, lottery=lottery, number="4 8 15")


def test_all_teachers_of_the_district_ask_once(cast: Cast, lottery: Lottery) -> None:
    assert lottery.applicants.count() == 12
    assert (
        actions.add_applicants(by=cast.denise, lottery=lottery, teachers=queries.teachers_at(cast.district), blocks={})
        == 0
    )


def test_who_does_not_run_it_can_do_nothing(cast: Cast, lottery: Lottery) -> None:
    for person in (cast.amara, cast.priya, cast.grace, cast.rafael, cast.vera):
        with pytest.raises(PermissionDenied):
            actions.announce(by=person, lottery=lottery, number_source="x")
        with pytest.raises(PermissionDenied):
            actions.draw(by=person, lottery=lottery, number="1")
        with pytest.raises(PermissionDenied):
            actions.draw_anew(by=person, lottery=lottery)


def test_nobody_from_elsewhere_is_entered(cast: Cast, lottery: Lottery) -> None:
    stranger = queries.Teacher(cast.vera, cast.other_district)
    with pytest.raises(ValidationError, match="does not teach there"):
        actions.add_applicants(by=cast.denise, lottery=lottery, teachers=[stranger], blocks={})


def test_after_the_announcement_the_list_stays(cast: Cast, lottery: Lottery) -> None:
    actions.announce(by=cast.denise, lottery=lottery, number_source="x")
    found = Applicant.objects.filter(lottery=lottery).first()
    assert found is not None
    with pytest.raises(ValidationError, match="announced"):
        actions.remove_applicant(by=cast.denise, lottery=lottery, applicant=found)
    with pytest.raises(ValidationError, match="announced"):
        actions.announce(by=cast.denise, lottery=lottery, number_source="y")
    assert Notice.objects.filter(kind="lottery_announced").count() == 12


def test_nothing_is_drawn_before_the_announcement_or_without_a_number(cast: Cast, lottery: Lottery) -> None:
    with pytest.raises(ValidationError, match="Announce"):
        actions.draw(by=cast.denise, lottery=lottery, number="1")
    actions.announce(by=cast.denise, lottery=lottery, number_source="x")
    with pytest.raises(ValidationError, match="number"):
        actions.draw(by=cast.denise, lottery=lottery, number="  ")
    assert not Allotment.objects.exists()


def test_seats_are_given_out_by_block_and_whoever_knows_what_was_published_draws_the_same(drawn: Lottery) -> None:
    lots = queries.lots_of(drawn)
    assert [sum(lot.allotment.wave == wave for lot in lots) for wave in (1, 2, 0)] == [6, 4, 2]
    assert fingerprint(actions.published_list(lots)) == drawn.list_sha256
    assert fingerprint(drawn.secret) == drawn.secret_sha256
    assert drawn.seed == seed_of(drawn.list_sha256, drawn.secret, "4 8 15")
    tickets = [lot.ticket for lot in lots]
    starts = [start_of(drawn.seed, wave) for wave in (1, 2)]
    found = allot([lot.code for lot in lots], [6, 4], lots_of(drawn.seed, tickets), starts)
    assert found.wave == tuple(lot.allotment.wave for lot in lots)
    first = {code: sum(lot.allotment.wave == 1 for lot in lots if lot.code == code) for code in ("A", "B")}
    assert sorted(first.values()) == [2, 4]
    assert {lot.block for lot in lots} == {"Alder Elementary", "Birch Elementary"}


def test_a_second_draw_changes_nothing(cast: Cast, drawn: Lottery) -> None:
    before = list(Allotment.objects.values_list("lot", "wave", "position"))
    again = actions.draw(by=cast.denise, lottery=drawn, number="another number")
    assert again.number == "4 8 15"
    assert list(Allotment.objects.values_list("lot", "wave", "position")) == before
    assert Statement.objects.filter(object_iri__contains=str(drawn.key), verb__endswith="completed").count() == 1


def test_what_was_drawn_cannot_be_changed(drawn: Lottery) -> None:
    lot = queries.lots_of(drawn)[0]
    for change in (
        lambda: Allotment.objects.update(wave=1), lambda: lot.allotment.save(), lambda: lot.delete(),
        lambda: Allotment.objects.all().delete(), lambda: drawn.lots.update(code="A"),
    ):  # fmt: skip
        with pytest.raises(IsFrozen):
            change()


def test_those_of_the_first_wave_are_invited_and_the_others_are_told(drawn: Lottery) -> None:
    offers = Offer.objects.filter(applicant__lottery=drawn)
    assert offers.count() == Notice.objects.filter(kind="seat_offered").count() == 6
    assert {offer.applicant.lot.allotment.wave for offer in offers} == {1}  # type: ignore[union-attr]
    assert Notice.objects.filter(kind="lottery_drawn").count() == 6


def test_a_declined_seat_goes_to_the_next_in_the_order_of_the_draw(cast: Cast, drawn: Lottery) -> None:
    offer = Offer.objects.filter(applicant__lottery=drawn).first()
    assert offer is not None
    assert offer.applicant.person is not None
    actions.answer_offer(by=offer.applicant.person, offer=offer, answer="declined")
    waiting = [each for each in queries.standings_of(drawn) if each.wave != 1]
    moved = Offer.objects.get(is_moved_up=True)
    assert moved.applicant.lot == waiting[0].lot
    assert moved.wave.number == 1
    assert moved.applicant.lot.allotment.wave != 1  # type: ignore[union-attr]  # how it was drawn stays for the study
    with pytest.raises(ValidationError, match="next on the list"):
        actions.answer_offer(by=cast.denise, offer=offer, answer="accepted")
    assert actions.invite(lottery=drawn) == 0


def test_only_the_teacher_and_who_runs_it_answer(cast: Cast, drawn: Lottery) -> None:
    offer = Offer.objects.filter(applicant__lottery=drawn).exclude(applicant__person=cast.tom).first()
    assert offer is not None
    with pytest.raises(PermissionDenied):
        actions.answer_offer(by=cast.tom, offer=offer, answer="declined")
    assert actions.answer_offer(by=cast.denise, offer=offer, answer="accepted").answer == "accepted"
    with pytest.raises(ValidationError):
        actions.answer_offer(by=cast.denise, offer=offer, answer="perhaps")


def test_the_next_wave_is_invited_by_itself_when_its_date_comes(drawn: Lottery) -> None:
    tasks.invite_due.func()
    assert Offer.objects.count() == 6
    drawn.waves.filter(number=1).update(begins_on=today(-160))
    drawn.waves.filter(number=2).update(begins_on=today(20))
    tasks.invite_due.func()
    tasks.invite_due.func()
    second = Offer.objects.filter(wave__number=2)
    assert second.count() == 4
    assert {offer.applicant.lot.allotment.wave for offer in second} == {2}  # type: ignore[union-attr]
    late = Offer.objects.filter(wave__number=1).first()
    assert late is not None
    assert late.applicant.person is not None
    with pytest.raises(ValidationError, match="begun"):
        actions.answer_offer(by=late.applicant.person, offer=late, answer="declined")


def test_whoever_moved_up_leaves_a_seat_in_the_later_wave(drawn: Lottery) -> None:
    for offer in list(Offer.objects.filter(wave__number=1))[:2]:
        assert offer.applicant.person is not None
        actions.answer_offer(by=offer.applicant.person, offer=offer, answer="declined")
    left = sum(1 in each.held and each.wave == 2 for each in queries.standings_of(drawn))
    drawn.waves.filter(number=2).update(begins_on=today(20))
    actions.invite(lottery=drawn)
    later = Offer.objects.filter(wave__number=2)
    assert later.count() == min(4, 12 - 6 - 2 + 0)
    assert later.filter(is_moved_up=True).count() == min(left, 2 - (2 - left))


def test_whole_schools_are_drawn_together(cast: Cast, lottery: Lottery) -> None:
    plan = [actions.Round(name="Now", seats=1, begins_on=today(14))]
    actions.change_lottery(by=cast.denise, lottery=lottery, waves=plan, unit=Lottery.Unit.SCHOOL)
    actions.announce(by=cast.denise, lottery=lottery, number_source="x")
    actions.draw(by=cast.denise, lottery=lottery, number="1")
    assert lottery.lots.count() == 2
    invited = {offer.applicant.school_id for offer in Offer.objects.all()}
    assert len(invited) == 1
    assert Offer.objects.count() == lottery.applicants.filter(school__in=invited).count()


def test_to_draw_anew_is_another_lottery_and_shows_which_one_it_replaces(cast: Cast, drawn: Lottery) -> None:
    made = actions.draw_anew(by=cast.denise, lottery=drawn)
    assert made.replaces == drawn
    assert made.applicants.count() == 12
    assert made.state == "open"
    assert Lottery.objects.get(pk=drawn.pk).state == "drawn"


def test_a_teacher_sees_her_own_lottery_and_one_rule_is_the_other(cast: Cast, lottery: Lottery) -> None:
    found = Applicant.objects.get(lottery=lottery, person=cast.tom)
    actions.remove_applicant(by=cast.denise, lottery=lottery, applicant=found)
    for name, person in cast.people.items():
        many = set(Lottery.objects.filter(rules.lotteries_seeable_by(person)))
        assert many == ({lottery} if rules.may_see_lottery(person, lottery) else set()), name
        assert (lottery in many) == (name in ("amara", "ben", "denise", "omar", "ines")), name


def test_an_erased_teacher_leaves_the_draw_as_it_was(cast: Cast, drawn: Lottery) -> None:
    waves = list(Allotment.objects.order_by("lot").values_list("wave", flat=True))
    permissions.erase(by=cast.amara, person=Person.objects.get(pk=cast.amara.pk))
    assert not Applicant.objects.filter(person=cast.amara).exists()
    assert drawn.applicants.count() == 12
    assert list(Allotment.objects.order_by("lot").values_list("wave", flat=True)) == waves
    assert actions.invite(lottery=drawn) >= 0
