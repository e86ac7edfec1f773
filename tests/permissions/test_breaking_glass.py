"""Two administrators, a written reason, four hours, and the owner is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from staffroom.permissions import actions, queries, signals
from staffroom.permissions.models import BreakGlass, Circle
from tests.cast import Cast

REASON = "A parent reports a threat that was said in this lesson."


@pytest.fixture
def thing(cast: Cast) -> Circle:
    return actions.make_circle(by=cast.amara, name="Hers alone", members=[])


def ask(cast: Cast, thing: Circle) -> BreakGlass:
    return actions.ask_break_glass(by=cast.omar, about=thing, owner=cast.amara, reason=REASON)


def test_asking_alone_opens_nothing(cast: Cast, thing: Circle) -> None:
    ask(cast, thing)
    assert queries.break_glass_for(cast.omar, thing) is None


def test_the_one_who_asked_may_not_approve(cast: Cast, thing: Circle) -> None:
    with pytest.raises(PermissionDenied):
        actions.approve_break_glass(by=cast.omar, request=ask(cast, thing))


def test_a_second_administrator_opens_it_for_both_for_a_time_and_the_owner_hears(
    cast: Cast, thing: Circle, django_capture_on_commit_callbacks: object
) -> None:
    told: list[BreakGlass] = []

    def hear(sender: object, break_glass: BreakGlass, **_rest: object) -> None:
        told.append(break_glass)

    signals.glass_broken.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        approved = actions.approve_break_glass(by=cast.ines, request=ask(cast, thing))
    signals.glass_broken.disconnect(hear)
    assert [each.owner for each in told] == [cast.amara]
    assert queries.break_glass_for(cast.omar, thing) == queries.break_glass_for(cast.ines, thing) == approved
    BreakGlass.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert queries.break_glass_for(cast.omar, thing) is None


@pytest.mark.parametrize("name", ["denise", "grace", "priya", "vera", "amara", "ruth"])
def test_nobody_but_an_administrator_over_her_may_ask(cast: Cast, thing: Circle, name: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.ask_break_glass(by=getattr(cast, name), about=thing, owner=cast.amara, reason=REASON)


def test_a_reason_must_be_written(cast: Cast, thing: Circle) -> None:
    with pytest.raises(ValidationError):
        actions.ask_break_glass(by=cast.omar, about=thing, owner=cast.amara, reason="because")


def test_a_refused_request_cannot_be_approved(cast: Cast, thing: Circle) -> None:
    request = ask(cast, thing)
    actions.refuse_break_glass(by=cast.ines, request=request)
    with pytest.raises(PermissionDenied):
        actions.approve_break_glass(by=cast.ines, request=request)
