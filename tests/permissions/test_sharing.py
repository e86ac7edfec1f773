"""Lending a thing and taking it back. A circle stands in for any room's thing: the rules do not look inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staffroom.people.models import Person
from staffroom.permissions import actions, queries, rules
from staffroom.permissions.models import Circle, Share, about
from tests.cast import Cast

SOON = timedelta(days=14)


@pytest.fixture
def thing(cast: Cast) -> Circle:
    return actions.make_circle(by=cast.amara, name="A thing to lend", members=[])


def lend(cast: Cast, thing: Circle, **audience: Any) -> Share:
    audience.setdefault("expires_at", timezone.now() + SOON)
    return actions.share(by=cast.amara, about=thing, **audience)


def test_a_share_with_a_person_reaches_only_that_person(cast: Cast, thing: Circle) -> None:
    made = lend(cast, thing, audience="person", person=cast.priya)
    reached = {name for name, person in cast.people.items() if queries.share_for(person, thing)}
    assert reached == {"priya"}
    assert queries.share_for(cast.priya, thing) == made


def test_a_share_with_the_school_reaches_colleagues_there_but_no_student_and_no_other_school(
    cast: Cast, thing: Circle
) -> None:
    lend(cast, thing, audience="school", organization=cast.alder)
    reached = {name for name, person in cast.people.items() if queries.share_for(person, thing)}
    assert reached == {"amara", "tom", "priya", "grace"}


def test_a_share_taken_back_is_over_at_once(cast: Cast, thing: Circle) -> None:
    made = lend(cast, thing, audience="person", person=cast.priya)
    actions.retract(by=cast.amara, share=made)
    assert queries.share_for(cast.priya, thing) is None
    assert not queries.live_shares_of(thing).exists()


def test_a_share_ends_by_itself(cast: Cast, thing: Circle) -> None:
    made = lend(cast, thing, audience="person", person=cast.priya)
    Share.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert queries.share_for(cast.priya, thing) is None


def test_only_the_owner_takes_a_share_back(cast: Cast, thing: Circle) -> None:
    made = lend(cast, thing, audience="person", person=cast.priya)
    for other in (cast.priya, cast.omar, cast.denise):
        with pytest.raises(PermissionDenied):
            actions.retract(by=other, share=made)
    assert queries.share_for(cast.priya, thing)


@pytest.mark.parametrize(
    "audience",
    [
        {"audience": "public"},
        {"audience": "person", "person": "amara"},
        {"audience": "person", "person": "leo"},
        {"audience": "person", "person": "vera"},
        {"audience": "school", "organization": "birch"},
        {"audience": "district", "organization": "alder"},
        {"audience": "person", "person": "priya", "may_download": True},
        {"audience": "person", "person": "priya", "days": -1},
        {"audience": "person", "person": "priya", "days": 4000},
    ],
    ids=str,
)
def test_refused_audiences_change_nothing(cast: Cast, thing: Circle, audience: dict[str, Any]) -> None:
    days = audience.get("days", 14)
    named = {
        key: getattr(cast, value) if key in ("person", "organization") else value
        for key, value in audience.items()
        if key != "days"
    }
    with pytest.raises(ValidationError):
        lend(cast, thing, expires_at=timezone.now() + timedelta(days=days), **named)
    assert not Share.objects.exists()


def test_a_circle_is_reached_while_one_is_in_it(cast: Cast, thing: Circle) -> None:
    circle = actions.make_circle(by=cast.amara, name="Math five", members=[cast.tom, cast.ben])
    lend(cast, thing, audience="circle", circle=circle)
    assert queries.share_for(cast.ben, thing)
    actions.leave_circle(by=cast.ben, circle=circle, person=cast.ben)
    assert queries.share_for(cast.ben, thing) is None
    assert queries.share_for(cast.tom, thing)


AUDIENCES = ("priya", "tom", "circle", "alder", "birch", "district", "public")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    worlds=st.lists(st.tuples(st.sampled_from(AUDIENCES), st.integers(-2, 2), st.booleans()), min_size=1, max_size=6)
)
def test_the_rule_for_one_and_the_rule_for_many_agree(
    cast: Cast, thing: Circle, worlds: list[tuple[str, int, bool]]
) -> None:
    Share.objects.all().delete()
    circle = Circle.objects.filter(name="Of two").first() or actions.make_circle(
        by=cast.amara, name="Of two", members=[cast.ben]
    )
    for audience, days, is_retracted in worlds:
        _made_directly(cast, thing, circle, audience, days, is_retracted)
    for person in cast.people.values():
        person = Person.objects.get(pk=person.pk)
        one_by_one = {share.pk for share in Share.objects.all() if rules.may_use(share, person)}
        at_once = set(Share.objects.filter(rules.usable_by(person)).values_list("pk", flat=True))
        assert one_by_one == at_once, person


def _made_directly(cast: Cast, thing: Circle, circle: Circle, audience: str, days: int, is_retracted: bool) -> None:
    fields: dict[str, Any] = {"audience": audience}
    if audience in ("priya", "tom"):
        fields = {"audience": "person", "person": getattr(cast, audience)}
    elif audience == "circle":
        fields["circle"] = circle
    elif audience != "public":
        place = getattr(cast, audience)
        fields = {"audience": place.kind, "organization": place}
    Share.objects.create(
        owner=cast.amara,
        expires_at=timezone.now() + timedelta(days=days, minutes=1),
        retracted_at=timezone.now() if is_retracted else None,
        **fields,
        **about(thing),
    )
