"""Lending to a school, a district, or everybody: nobody is written to, they find it; everyone only where policy and families allow it."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from staffroom.conversations.queries import unread_count
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import Share
from staffroom.seeing.lessons import actions
from staffroom.seeing.lessons.models import Clip
from tests.cast import Cast
from tests.lessons.conftest import all_say_yes, in_two_weeks


def share_page(client: Client, clip: Clip) -> str:
    return client.get(f"/clips/{clip.key}/share/").content.decode()


def lend_to_everyone(client: Client, clip: Clip) -> int:
    until = timezone.localdate().isoformat()
    return client.post(f"/clips/{clip.key}/share/", {"target": "public:0", "until": until}).status_code


def let_things_leave(cast: Cast) -> None:
    permissions.set_policy(by=cast.omar, organization=cast.district, settings={"may_share_outside_district": True})


def test_a_loan_to_the_school_writes_to_nobody_and_stands_as_new_with_its_teachers(
    client: Client, cast: Cast, clip: Clip
) -> None:
    actions.share_clip(by=cast.amara, clip=clip, audience="school", organization=cast.alder, until=in_two_weeks())
    assert unread_count(cast.tom) == 0
    client.force_login(cast.tom)
    page = client.get("/lessons/shared/").content.decode()
    assert str(clip.key) in page
    assert "New" in page
    assert client.get(clip.get_absolute_url()).status_code == 200
    client.force_login(cast.ben)
    assert str(clip.key) not in client.get("/lessons/shared/").content.decode(), "he works at another school"


def test_everyone_is_not_offered_while_policy_or_families_forbid_it(client: Client, cast: Cast, clip: Clip) -> None:
    client.force_login(cast.amara)
    assert "public:0" not in share_page(client, clip)
    let_things_leave(cast)
    assert "public:0" not in share_page(client, clip), "not every family has said yes"
    assert lend_to_everyone(client, clip) == 422
    assert not Share.objects.exists()


def test_everyone_is_offered_when_policy_and_every_family_allow_it(client: Client, cast: Cast, clip: Clip) -> None:
    all_say_yes(cast)
    client.force_login(cast.amara)
    assert "public:0" not in share_page(client, clip), "the district's policy keeps things inside"
    let_things_leave(cast)
    assert "public:0" in share_page(client, clip)
    assert lend_to_everyone(client, clip) == 302
    client.force_login(cast.vera)
    assert client.get(clip.get_absolute_url()).status_code == 200
    client.logout()
    assert client.get(clip.get_absolute_url()).status_code == 302, "whoever is not signed in is asked to"


def test_a_district_is_marked_as_outside_while_a_family_has_not_said_yes(
    client: Client, cast: Cast, clip: Clip
) -> None:
    client.force_login(cast.amara)
    assert "Riverbend School District – outside the school" in share_page(client, clip)
