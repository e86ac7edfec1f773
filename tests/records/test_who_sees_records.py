"""One rule, two readings: what holds for one entry or activity holds for many."""

from __future__ import annotations

import itertools

from staffroom.records import actions, rules
from staffroom.records.models import Activity, Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast


def test_the_two_readings_of_each_rule_agree(cast: Cast) -> None:
    places = (cast.district, cast.alder, cast.birch, cast.other_district)
    found = [actions.make_activity(by=None, organization=place, name=place.name, kind="course") for place in places]
    people = [person for person in cast.people.values() if person.email]
    for person, activity in itertools.product(people, [*found, None]):
        actions.record(by=person, verb=verbs.ATTENDED, object=activity or "https://x.example/alone", duration_s=60)
    entries, activities = list(Statement.objects.select_related("organization")), list(Activity.objects.all())
    for viewer in cast.people.values():
        seen = set(Statement.objects.filter(rules.entries_seen_by(viewer)).values_list("pk", flat=True))
        assert seen == {each.pk for each in entries if rules.may_see_entry(viewer, each)}
        known = set(Activity.objects.filter(rules.activities_seen_by(viewer)).values_list("pk", flat=True))
        assert known == {each.pk for each in activities if rules.may_see_activity(viewer, each)}
        kept = {place.pk for place in places if rules.may_keep_records(viewer, place)}
        assert kept == set(type(places[0]).objects.filter(rules.kept_by(viewer), pk__in=[each.pk for each in places]).values_list(
            "pk", flat=True))  # fmt: skip
    assert len(entries) == len(people) * 5


def test_somebody_who_left_sees_nothing_more(cast: Cast) -> None:
    actions.record(by=cast.amara, verb=verbs.SHARED, object="https://x.example/a")
    cast.amara.is_active = False
    assert not Statement.objects.filter(rules.entries_seen_by(cast.amara)).exists()
    assert not Statement.objects.filter(rules.entries_seen_by(None)).exists()
