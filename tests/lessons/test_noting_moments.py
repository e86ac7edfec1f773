"""Noting moments: points and ranges, tagged, answered, exported; by the owner, and in a clip by whom it is lent to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from staffroom.conversations import actions as conversations
from staffroom.conversations import queries as conversation_queries
from staffroom.conversations.models import Comment, Notice
from staffroom.frameworks import actions as frameworks
from staffroom.frameworks.models import Element
from staffroom.records.models import Activity, Statement
from staffroom.seeing.lessons import actions
from staffroom.seeing.lessons.clock import clock, milliseconds, seconds, vtt_time
from staffroom.seeing.lessons.models import Clip, Lesson, Moment
from tests.cast import Cast

FORM = {"start": "4:10", "end": "4:35", "kind": "question", "text": "Who is thinking here?", "element": ""}


def test_the_owner_notes_a_range_and_finds_it_again(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    answer = client.post(reverse("lessons:note_moment", args=[lesson.slug]), FORM)
    assert answer.status_code == 302
    moment = Moment.objects.get()
    assert (moment.start_ms, moment.end_ms, moment.kind, moment.clip) == (250_000, 275_000, "question", None)
    page = client.get(lesson.get_absolute_url()).content.decode()
    assert "04:10–04:35" in page
    assert 'data-seek-ms="250000"' in page
    data = json.loads(page.split('id="moments" type="application/json">')[1].split("</script>")[0])
    assert data[0]["start_ms"] == 250_000


def test_htmx_gets_the_notes_and_nothing_around_them(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    answer = client.post(reverse("lessons:note_moment", args=[lesson.slug]), FORM, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Who is thinking here?" in text
    assert "<video" not in text
    assert "moments-now" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": ""}, "Say when"),
        ({"start": "four"}, "such as 4:10"),
        ({"start": "3:70"}, "60 seconds"),
        ({"end": "4:00"}, "after the start"),
        ({"start": "10:30", "end": ""}, "within the recording"),
        ({"text": "  "}, "Write what you noticed"),
        ({"kind": "insult"}, "Select a valid choice"),
        ({"element": "999999"}, "Select a valid choice"),
        ({"element": "99999999999999999999999"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_noted_is_refused_in_words_and_nothing_typed_is_lost(
    cast: Cast, lesson: Lesson, client: Client, change: dict[str, str], words: str
) -> None:
    client.force_login(cast.amara)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post(reverse("lessons:note_moment", args=[lesson.slug]), {**FORM, **change}, headers=headers)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert change.get("text", FORM["text"]).strip() in answer.content.decode()
    assert not Moment.objects.exists()
    place = f"lesson:{lesson.key}"
    assert conversation_queries.draft_for(cast.amara, place)["kind"] == {**FORM, **change}["kind"]


def test_a_tag_stays_what_it_meant_when_the_framework_goes_on(cast: Cast, lesson: Lesson, client: Client) -> None:
    text = "code,title\nW,Wait\n"
    first = frameworks.import_csv(by=cast.omar, organization=cast.district, text=text, title="Ours")
    frameworks.publish(by=cast.omar, version=first)
    tag = Element.objects.get()
    moment = actions.note_moment(by=cast.amara, lesson=lesson, text="x", start_ms=0, element=tag)
    second = frameworks.import_csv(by=cast.omar, organization=cast.district, text=text + "T,Talk\n", title="Ours")
    frameworks.publish(by=cast.omar, version=second)
    with pytest.raises(ValidationError):
        actions.note_moment(by=cast.amara, lesson=lesson, text="x", start_ms=0, element=tag)
    client.force_login(cast.amara)
    data = {**FORM, "element": str(tag.pk)}
    assert client.post(reverse("clips:change_moment", args=[moment.key]), data).status_code == 302
    moment.refresh_from_db()
    assert (moment.element, moment.start_ms) == (tag, 250_000)


def test_a_coach_notes_in_a_clip_within_its_seconds_and_the_owner_hears_of_it(
    cast: Cast, lent: Clip, client: Client
) -> None:
    client.force_login(cast.priya)
    address = reverse("clips:note_moment", args=[lent.key])
    assert client.post(address, {**FORM, "start": "3:59", "end": ""}).status_code == 422
    assert client.post(address, {**FORM, "end": "5:01"}).status_code == 422
    assert client.post(address, FORM).status_code == 302
    notice = Notice.objects.get(recipient=cast.amara, kind="clip_noted")
    assert "thinking" not in str(notice.details)
    client.force_login(cast.amara)
    assert "Who is thinking here?" in client.get(lent.get_absolute_url()).content.decode()
    assert "Who is thinking here?" in client.get(lent.lesson.get_absolute_url()).content.decode()


def test_owner_and_coach_answer_each_other_and_a_taken_back_loan_ends_it(
    cast: Cast, lent: Clip, client: Client
) -> None:
    moment = actions.note_moment(by=cast.priya, lesson=lent.lesson, clip=lent, text="See?", start_ms=250_000)
    address = reverse("clips:reply", args=[moment.key])
    client.force_login(cast.amara)
    assert client.post(address, {"text": ""}).status_code == 422
    assert client.post(address, {"text": "I do now."}).status_code == 302
    assert Notice.objects.filter(recipient=cast.priya, kind="reply").count() == 1
    client.force_login(cast.priya)
    assert "I do now." in client.get(lent.get_absolute_url()).content.decode()
    assert client.post(address, {"text": "Good."}).status_code == 302
    said = Comment.objects.get(author=cast.priya)
    actions.retract_clip(by=cast.amara, clip=lent)
    assert client.post(address, {"text": "Once more"}).status_code == 404
    assert client.get(reverse("conversations:edit_comment", args=[said.key])).status_code == 404
    assert client.get(reverse("clips:change_moment", args=[moment.key])).status_code == 404
    with pytest.raises(PermissionDenied):
        conversations.edit_comment(by=cast.priya, comment=said, text="Changed")
    assert Comment.objects.count() == 2


def test_reflect_first_closes_colleagues_notes_to_the_owner_until_she_has_written(
    cast: Cast, clip: Clip, client: Client
) -> None:
    from tests.lessons.conftest import in_two_weeks

    actions.share_clip(
        by=cast.amara, clip=clip, audience="person", person=cast.priya, until=in_two_weeks(), is_reflect_first=True
    )
    moment = actions.note_moment(by=cast.priya, lesson=clip.lesson, clip=clip, text="You held it", start_ms=250_000)
    actions.reply(by=cast.priya, about=clip, text="Lovely minute")
    client.force_login(cast.amara)
    for address in (clip.get_absolute_url(), clip.lesson.get_absolute_url()):
        page = client.get(address).content.decode()
        assert "You held it" not in page
        assert "Lovely minute" not in page
        assert "1 note of a colleague waits" in page
    assert client.get(reverse("clips:reply", args=[moment.key])).status_code == 404
    exported = client.get(reverse("lessons:export", args=[clip.lesson.slug, "jsonld"])).content.decode()
    assert "You held it" not in exported
    client.post(reverse("lessons:reflect", args=[clip.lesson.slug]), {"reflection": "I waited."})
    assert "You held it" in client.get(clip.get_absolute_url()).content.decode()
    assert client.post(reverse("lessons:reflect", args=[clip.lesson.slug]), {"reflection": ""}).status_code == 422


def test_the_author_and_the_owner_may_remove_a_moment_with_its_thread(cast: Cast, lent: Clip, client: Client) -> None:
    actions.share_clip(by=cast.amara, clip=lent, audience="person", person=cast.tom, until=_later())
    for remover, code in ((cast.tom, 404), (cast.amara, 302)):
        moment = actions.note_moment(by=cast.priya, lesson=lent.lesson, clip=lent, text="See?", start_ms=250_000)
        actions.reply(by=cast.amara, about=moment, text="I do")
        client.force_login(remover)
        assert client.post(reverse("clips:remove_moment", args=[moment.key])).status_code == code
        assert Moment.objects.filter(pk=moment.pk).exists() is (code == 404)
    assert not conversation_queries.comments_of(moment).exists()


def _later() -> Any:
    from tests.lessons.conftest import in_two_weeks

    return in_two_weeks()


def test_every_deed_is_recorded_without_content(cast: Cast, lent: Clip, coaching: Activity) -> None:
    moment = actions.note_moment(by=cast.priya, lesson=lent.lesson, clip=lent, text="Sesame", start_ms=250_000)
    actions.reply(by=cast.amara, about=moment, text="Sesame too")
    entries = list(Statement.objects.filter(activity=coaching))
    assert {entry.actor for entry in entries} == {cast.amara, cast.priya}
    for entry in Statement.objects.all():
        assert "Sesame" not in str(entry.body)
        assert "Leo" not in str(entry.body)
        assert "Fractions" not in str(entry.body)


def test_moments_are_exported_as_web_annotations_webvtt_and_csv(cast: Cast, lesson: Lesson, client: Client) -> None:
    actions.note_moment(
        by=cast.amara, lesson=lesson, text="=1+1 --> <b>& so", start_ms=250_000, end_ms=275_000, kind="question"
    )
    point = actions.note_moment(by=cast.amara, lesson=lesson, text="Here", start_ms=500_500)
    actions.reply(by=cast.amara, about=point, text="Later thought")
    client.force_login(cast.amara)
    data = client.get(reverse("lessons:export", args=[lesson.slug, "jsonld"])).json()
    first, second, answer = data["first"]["items"]
    assert data["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert first["target"]["selector"] == {
        "type": "FragmentSelector", "conformsTo": "http://www.w3.org/TR/media-frags/", "value": "t=250,275",
    }  # fmt: skip
    assert second["target"]["selector"]["value"] == "t=500.5"
    assert (answer["motivation"], answer["target"]) == ("replying", second["id"])
    cues = client.get(reverse("lessons:export", args=[lesson.slug, "vtt"])).content.decode()
    assert cues.startswith("WEBVTT\n\n")
    assert "00:04:10.000 --> 00:04:35.000\n<v Amara Okafor>=1+1 --&gt; &lt;b&gt;&amp; so\n" in cues
    answer = client.get(reverse("lessons:export", args=[lesson.slug, "csv"]))
    table = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    assert "04:10,04:35,250.0,275.0,question,Amara Okafor,'=1+1" in table


@given(st.integers(min_value=0, max_value=24 * 3600 * 1000))
def test_a_time_that_is_written_is_read_as_the_same(ms: int) -> None:
    assert milliseconds(clock(ms, exact=True)) == ms
    assert float(seconds(ms)) == ms / 1000
    assert vtt_time(ms).count(":") == 2


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_refused_in_words(text: str) -> None:
    try:
        assert 0 <= milliseconds(text) <= 24 * 3600 * 1000
    except ValidationError as refused:
        assert refused.messages  # noqa: PT017


def test_the_lesson_page_asks_no_more_of_the_database_for_many_moments(
    cast: Cast, lesson: Lesson, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.amara)
    for second in range(30):
        moment = actions.note_moment(by=cast.amara, lesson=lesson, text="n", start_ms=second * 1000)
        actions.reply(by=cast.amara, about=moment, text="r")
    with django_assert_max_num_queries(30):
        client.get(lesson.get_absolute_url())
