"""Threads, notices and drafts: whom a room lets speak speaks, mails hold no content, nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staffroom.conversations import actions, hosts, notices, queries
from staffroom.conversations.models import Comment, Draft, Notice, Thread
from staffroom.conversations.templatetags.conversations import said
from staffroom.jobs.actions import run_waiting
from staffroom.people.models import Section
from staffroom.permissions.actions import purge_ended
from staffroom.records.models import Statement
from tests.cast import Cast


@pytest.fixture
def talked_about(cast: Cast) -> Iterator[Section]:
    """A section that Amara and Priya may talk about, and nobody else: as a room would say of its own model."""
    allowed = {cast.amara.pk, cast.priya.pk}
    hosts.host(
        Section,
        may_read=lambda person, thing: person.pk in allowed,
        may_say=lambda person, thing: person.pk in allowed,
        page=lambda thing: "/notices/",
    )
    notices.register("test_reply", "%(actor)s answered you.")
    yield cast.section
    hosts._hosts.pop(Section)


def test_what_is_said_is_kept_and_recorded_without_its_words(cast: Cast, talked_about: Section) -> None:
    comment = actions.say(by=cast.priya, about=talked_about, text="  I held my breath with you. ")
    assert [each.text for each in queries.comments_of(talked_about)] == ["I held my breath with you."]
    entry = Statement.objects.get(actor=cast.priya)
    assert "breath" not in str(entry.body)
    assert comment.ends_on > timezone.localdate()


@pytest.mark.parametrize("who", ["tom", "grace", "denise", "omar", "vera"])
def test_whom_the_room_does_not_let_speak_may_not(cast: Cast, talked_about: Section, who: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.say(by=getattr(cast, who), about=talked_about, text="Hello")
    assert not Thread.objects.exists()


def test_a_thing_without_a_host_has_no_conversation(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        actions.say(by=cast.amara, about=cast.course, text="Hello")


@pytest.mark.parametrize("text", ["", "   ", "x" * 5001])
def test_empty_and_endless_words_are_refused(cast: Cast, talked_about: Section, text: str) -> None:
    with pytest.raises(ValidationError):
        actions.say(by=cast.amara, about=talked_about, text=text)
    assert not Comment.objects.exists()


def test_only_its_author_changes_or_takes_back_a_comment(cast: Cast, talked_about: Section, client: Client) -> None:
    comment = actions.say(by=cast.priya, about=talked_about, text="Wait longer")
    client.force_login(cast.amara)
    assert client.post(reverse("conversations:edit_comment", args=[comment.key]), {"text": "x"}).status_code == 404
    assert client.post(reverse("conversations:withdraw_comment", args=[comment.key])).status_code == 404
    client.force_login(cast.priya)
    assert client.post(reverse("conversations:edit_comment", args=[comment.key]), {"text": ""}).status_code == 422
    assert client.post(reverse("conversations:edit_comment", args=[comment.key]), {"text": "Wait"}).status_code == 302
    comment.refresh_from_db()
    assert (comment.text, comment.edited_at is not None) == ("Wait", True)
    assert client.post(reverse("conversations:withdraw_comment", args=[comment.key])).status_code == 302
    comment.refresh_from_db()
    assert (comment.text, comment.withdrawn_at is not None) == ("", True)
    assert client.get(reverse("conversations:edit_comment", args=[comment.key])).status_code == 404


def test_words_are_shown_as_text_with_links_and_nothing_else() -> None:
    shown = said("<script>alert(1)</script>\nsee https://riverbend.example/a?b=1&c=2 javascript:alert(1)")
    assert "<script" not in shown
    assert '<a href="https://riverbend.example/a?b=1&amp;c=2" rel="nofollow noopener noreferrer">' in shown
    assert 'href="javascript' not in shown


def test_a_notice_is_mailed_at_once_without_content(cast: Cast, talked_about: Section) -> None:
    actions.notify(recipient=cast.amara, kind="test_reply", url="/notices/", actor=cast.priya)
    run_waiting()
    sent = mail.outbox[0]
    assert sent.to == ["amara@riverbend.example"]
    assert sent.subject == "Priya Nair answered you."
    run_waiting()
    assert len(mail.outbox) == 1


def test_nobody_is_told_of_her_own_deeds_or_twice(cast: Cast, talked_about: Section) -> None:
    actions.notify(recipient=cast.priya, kind="test_reply", url="/notices/", actor=cast.priya)
    assert not Notice.objects.exists()
    for _time in range(2):
        actions.notify(recipient=cast.amara, kind="test_reply", url="/notices/", actor=cast.priya)
    assert queries.unread_count(cast.amara) == 1


def test_who_wants_mail_once_a_day_gets_one_for_all(cast: Cast, talked_about: Section) -> None:
    actions.wish_mail(by=cast.amara, rhythm="daily")
    for number in range(3):
        actions.notify(recipient=cast.amara, kind="test_reply", url=f"/notices/?{number}", actor=cast.priya)
    run_waiting()
    assert mail.outbox == []
    assert actions.mail_gathered() == 1
    assert mail.outbox[0].body.count("Priya Nair answered you.") == 3
    assert actions.mail_gathered() == 0


def test_who_wants_no_mail_gets_none(cast: Cast, talked_about: Section) -> None:
    actions.wish_mail(by=cast.amara, rhythm="none")
    actions.notify(recipient=cast.amara, kind="test_reply", url="/notices/", actor=cast.priya)
    run_waiting()
    assert (mail.outbox, actions.mail_gathered()) == ([], 0)


def test_an_unknown_kind_of_notice_is_a_mistake(cast: Cast) -> None:
    with pytest.raises(ValueError, match="no room has registered"):
        actions.notify(recipient=cast.amara, kind="nothing", url="/")


def test_notices_are_their_recipients_alone(cast: Cast, talked_about: Section, client: Client) -> None:
    made = actions.notify(recipient=cast.amara, kind="test_reply", url="/notices/?x=1", actor=cast.priya)
    assert made is not None
    assert client.get(reverse("conversations:notices")).status_code == 302
    client.force_login(cast.tom)
    assert client.get(reverse("conversations:open_notice", args=[made.pk])).status_code == 404
    assert "Priya" not in client.get(reverse("conversations:notices")).content.decode()
    client.force_login(cast.amara)
    assert "Priya Nair answered you." in client.get(reverse("conversations:notices")).content.decode()
    assert client.get(reverse("home:front")).content.decode().count("Priya Nair answered you.") == 1, "said once"
    assert client.get(reverse("conversations:open_notice", args=[made.pk])).headers["Location"] == "/notices/?x=1"
    assert queries.unread_count(cast.amara) == 0


def test_a_notice_never_leads_out_of_the_site(cast: Cast, talked_about: Section, client: Client) -> None:
    made = actions.notify(recipient=cast.amara, kind="test_reply", url="//evil.example/", actor=cast.priya)
    assert made is not None
    client.force_login(cast.amara)
    assert client.get(reverse("conversations:open_notice", args=[made.pk])).headers["Location"] == "/"


def test_the_page_of_notices_asks_no_more_of_the_database_for_thirty_than_for_one(
    cast: Cast, talked_about: Section, client: Client, django_assert_max_num_queries: object
) -> None:
    client.force_login(cast.amara)
    for number in range(40):
        actions.notify(recipient=cast.amara, kind="test_reply", url=f"/notices/?{number}", actor=cast.priya)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = client.get(reverse("conversations:notices")).content.decode()
    assert page.count("Priya Nair answered you.") == 30
    assert "before=" in page


def test_drafts_are_kept_for_their_owner_until_dropped(cast: Cast, client: Client) -> None:
    client.force_login(cast.amara)
    address = reverse("conversations:draft", args=["lesson:1:moment"])
    assert client.post(address, {"text": "Half a tho", "csrfmiddlewaretoken": "x"}).status_code == 200
    assert queries.draft_for(cast.amara, "lesson:1:moment") == {"text": "Half a tho"}
    assert queries.draft_for(cast.priya, "lesson:1:moment") == {}
    client.post(address, {"text": ""})
    assert not Draft.objects.exclude(body={}).exists()


def test_a_draft_that_is_too_long_is_refused_in_words(cast: Cast, client: Client) -> None:
    client.force_login(cast.amara)
    address = reverse("conversations:draft", args=["lesson:1:moment"])
    assert client.post(address, {"text": "x" * 30_000}).status_code == 422
    assert not Draft.objects.exclude(body={}).exists()


def test_what_has_ended_is_purged(cast: Cast, talked_about: Section) -> None:
    actions.say(by=cast.priya, about=talked_about, text="Old")
    actions.keep_draft(by=cast.priya, place="x", body={"text": "Old"})
    actions.notify(recipient=cast.amara, kind="test_reply", url="/", actor=cast.priya)
    purge_ended()
    assert [model.objects.count() for model in (Comment, Draft, Notice)] == [1, 1, 1]
    yesterday = timezone.localdate() - timedelta(days=1)
    for model in (Comment, Draft, Notice):
        model.objects.update(ends_on=yesterday)
    purge_ended()
    assert [model.objects.count() for model in (Comment, Draft, Notice)] == [0, 0, 0]


def test_words_that_arrive_after_the_form_was_sent_do_not_come_back(cast: Cast) -> None:
    opened_at = timezone.now()
    actions.drop_draft(by=cast.amara, place="lesson:1:moment")
    late = {"text": "I asked and wai"}
    assert actions.keep_draft(by=cast.amara, place="lesson:1:moment", body=late, opened_at=opened_at) is None
    assert queries.draft_for(cast.amara, "lesson:1:moment") == {}
    actions.keep_draft(by=cast.amara, place="lesson:1:moment", body=late, opened_at=timezone.now())
    assert queries.draft_for(cast.amara, "lesson:1:moment") == late
