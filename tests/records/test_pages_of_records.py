"""The pages under /records/: who is let in, what leaders are shown, and the deeds from form to ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staffroom.jobs.actions import run_waiting
from staffroom.people.models import Person
from staffroom.records import actions
from staffroom.records.models import Activity, Cost, Instrument, Outcome, OutcomeImport, Price, Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast

LEADERS = {"grace", "denise", "omar", "ines", "vera"}
KEEPERS = LEADERS - {"grace"}


@pytest.fixture
def workshop(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")


@pytest.fixture
def instrument(cast: Cast) -> Instrument:
    return actions.make_instrument(
        by=cast.denise, organization=cast.district, name="District math", kind="test", scale_low=0, scale_high=100
    )


def as_(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_who_is_let_in(cast: Cast) -> None:
    doors = {
        "home": LEADERS, "activities": LEADERS, "new-activity": LEADERS, "instruments": KEEPERS, "new-instrument": KEEPERS,
        "prices": KEEPERS, "prices-csv": KEEPERS, "new-price": KEEPERS, "imports": KEEPERS,
    }  # fmt: skip
    let_in: dict[str, set[str]] = {name: set() for name in doors}
    for key, person in cast.people.items():
        client = as_(person)
        for name in doors if person.email else ():
            status = client.get(reverse(f"records:{name}")).status_code
            assert status in (200, 404), (key, name)
            let_in[name] |= {key} if status == 200 else set()
    assert let_in == doors


def test_nobody_unknown_is_let_in(client: Client, cast: Cast) -> None:
    for name in ("home", "entries", "entries-csv", "activities", "prices", "imports", "instruments"):
        assert client.get(reverse(f"records:{name}")).status_code == 302


def test_what_is_another_districts_does_not_exist(cast: Cast, workshop: Activity, instrument: Instrument) -> None:
    vera = as_(cast.vera)
    kept = actions.keep_file(by=cast.denise, organization=cast.district, name="x.csv", content=b"a,b\n1,2\n")
    for url in (
        reverse("records:activity", args=[workshop.key]),
        reverse("records:change-activity", args=[workshop.key]),
        reverse("records:attendance", args=[workshop.key]),
        reverse("records:costs-csv", args=[workshop.key]),
        reverse("records:instrument", args=[instrument.key]),
        reverse("records:instrument-csv", args=[instrument.key]),
        reverse("records:import", args=[kept.key]),
        reverse("records:import-mapping", args=[kept.key]),
        reverse("records:import-problems", args=[kept.key]),
    ):
        assert vera.get(url).status_code == 404, url
    for url in (
        reverse("records:add-ingredient", args=[workshop.key]),
        reverse("records:start-import", args=[kept.key]),
        reverse("records:drop-import", args=[kept.key]),
    ):
        assert vera.post(url).status_code == 404, url
    assert OutcomeImport.objects.filter(pk=kept.pk, state="preview").exists()


def test_a_school_leader_enters_attendance_of_her_school_alone(cast: Cast, workshop: Activity) -> None:
    grace = as_(cast.grace)
    url = reverse("records:attendance", args=[workshop.key])
    assert b"Lindqvist" in grace.get(url).content
    sent = {"day": timezone.localdate().isoformat(), "hours": "1.5", "people": [cast.amara.pk, cast.tom.pk]}
    assert grace.post(url, sent).status_code == 302
    assert grace.post(url, sent).status_code == 302  # the same again changes nothing
    entries = Statement.objects.filter(verb=verbs.ATTENDED.iri)
    assert {(each.actor, each.duration_s, each.recorded_by) for each in entries} == {
        (cast.amara, 5400, cast.grace), (cast.tom, 5400, cast.grace),
    }  # fmt: skip
    assert grace.post(url, sent | {"people": [cast.ben.pk]}).status_code == 422
    assert grace.post(url, sent | {"hours": "25"}).status_code == 422
    assert grace.post(url, sent | {"day": "2199-01-01"}).status_code == 422
    assert entries.count() == 2
    assert grace.get(reverse("records:change-activity", args=[workshop.key])).status_code == 404


def test_attendance_from_a_file_is_all_or_nothing(cast: Cast, workshop: Activity) -> None:
    denise, url = as_(cast.denise), reverse("records:attendance-file", args=[workshop.key])

    def send(text: str) -> Any:
        return denise.post(url, {"file": SimpleUploadedFile("a.csv", text.encode())})

    answer = send("person,date,hours\namara@riverbend.example,2026-09-01,2\nnobody@x.example,2026-09-01,2\n")
    assert answer.status_code == 422
    assert b"nobody@x.example" in answer.content
    assert not Statement.objects.exists()
    assert (
        send(
            "person,date,hours\namara@riverbend.example,2026-09-01,2\nben@riverbend.example,9/2/2026,1.5\n"
        ).status_code
        == 302
    )
    assert sorted(Statement.objects.values_list("duration_s", flat=True)) == [5400, 7200]
    assert send("who,when\n1,2\n").status_code == 422
    assert send("").status_code == 422


def test_leaders_see_dates_minutes_and_kinds_and_no_object(cast: Cast, workshop: Activity) -> None:
    actions.record(
        by=cast.priya, verb=verbs.COMMENTED, object="https://x.example/things/clip/secret-clip", activity=workshop,
        duration_s=600, focus="wait time", result={"response": "what I said"},
    )  # fmt: skip
    for person in (cast.grace, cast.denise, cast.omar):
        for url in (reverse("records:entries"), reverse("records:entries-csv")):
            answer = as_(person).get(url)
            text = b"".join(answer) if answer.streaming else answer.content
            assert b"commented" in text
            assert b"wait time" in text
            assert b"secret-clip" not in text
            assert b"what I said" not in text
    assert as_(cast.tom).get(reverse("records:entries")).context["lines"] == []


def test_a_long_list_is_walked_by_its_keys(cast: Cast, workshop: Activity) -> None:
    actions.record_statements(
        actions.Deed(by=cast.amara, verb=verbs.ATTENDED, object=workshop, duration_s=60 * number)
        for number in range(1, 76)
    )
    client, url, seen = as_(cast.amara), reverse("records:entries"), []
    query = ""
    for _page in range(3):
        shown = client.get(url + query).context
        seen += [line["minutes"] for line in shown["lines"]]
        query = shown["page"].older_url
    assert seen == list(range(75, 0, -1))
    assert query == ""
    back = client.get(url + shown["page"].newer_url).context
    assert [line["minutes"] for line in back["lines"]] == list(range(45, 15, -1))
    for nonsense in (
        "?before=x",
        "?before=2026-01-01T00:00_1",
        "?after=2026-01-01T00:00:00%2B00:00_99999999999999999999",
        "?month=7",
    ):
        assert client.get(url + nonsense).status_code == 200


def test_an_entry_is_voided_by_its_actor_and_by_nobody_strange(cast: Cast, workshop: Activity) -> None:
    entry = actions.record(by=cast.amara, verb=verbs.ATTENDED, object=workshop, duration_s=60)
    url = reverse("records:void-entry", args=[entry.key])
    assert as_(cast.tom).post(url).status_code == 404
    assert as_(cast.amara).get(url).status_code == 405
    assert as_(cast.amara).post(url).status_code == 302
    assert Statement.objects.get(pk=entry.pk).is_voided
    assert as_(cast.amara).post(url).status_code == 404


def test_an_activity_an_instrument_and_a_price_are_described_on_pages(cast: Cast) -> None:
    denise = as_(cast.denise)
    place = cast.district.pk
    assert (
        denise.post(reverse("records:new-activity"), {"organization": place, "name": "", "kind": "course"}).status_code
        == 422
    )
    backwards = {
        "organization": place,
        "name": "A",
        "kind": "course",
        "begins_on": "2026-02-01",
        "ends_on": "2026-01-01",
    }
    assert denise.post(reverse("records:new-activity"), backwards).status_code == 422
    assert denise.post(reverse("records:new-activity"), backwards | {"ends_on": "2026-03-01"}).status_code == 302
    scale = {"organization": place, "name": "B", "kind": "test", "scale_low": "5", "scale_high": "1"}
    assert denise.post(reverse("records:new-instrument"), scale).status_code == 422
    assert denise.post(reverse("records:new-instrument"), scale | {"scale_high": "10"}).status_code == 302
    price = {
        "organization": place, "kind": "wage", "name": "Teacher", "role": "", "unit": "hour", "unit_price_usd_cents": "41.37",
        "benefits_percent": "28.5", "lifetime_years": "1", "interest_percent": "0", "price_year": "2026",
    }  # fmt: skip
    assert denise.post(reverse("records:new-price"), price).status_code == 422
    assert (
        denise.post(
            reverse("records:new-price"), price | {"role": "teacher", "unit_price_usd_cents": "NaN"}
        ).status_code
        == 422
    )
    assert denise.post(reverse("records:new-price"), price | {"role": "teacher"}).status_code == 302
    assert Price.objects.get().unit_price_usd_cents == 4137
    assert Activity.objects.get().slug == "a"
    assert denise.post(reverse("records:end-price", args=[Price.objects.get().pk])).status_code == 302
    assert Price.objects.get().ends_on == timezone.localdate()


def test_nobody_describes_for_places_that_are_not_theirs(cast: Cast) -> None:
    sent = {"organization": cast.district.pk, "name": "Mine", "kind": "course"}
    assert as_(cast.grace).post(reverse("records:new-activity"), sent).status_code == 422
    assert as_(cast.vera).post(reverse("records:new-activity"), sent).status_code == 422
    assert not Activity.objects.exists()


def test_ingredients_are_added_totaled_and_voided(cast: Cast, workshop: Activity) -> None:
    denise, page = as_(cast.denise), reverse("records:activity", args=[workshop.key])
    add = reverse("records:add-ingredient", args=[workshop.key])
    line = {
        "ingredient": "Room",
        "unit_price_usd_cents": "$1,250.10",
        "quantity": "3",
        "happened_on": "2026-09-01",
        "payer": "Title II",
    }
    assert denise.post(add, line | {"quantity": "0"}).status_code == 422
    assert denise.post(add, line | {"ingredient": ""}).status_code == 422
    assert denise.post(add, line).status_code == 302
    assert (
        denise.post(
            add, line | {"ingredient": "Old training", "quantity": "1", "is_business_as_usual": "on"}
        ).status_code
        == 302
    )
    shown = denise.get(page)
    assert b"$2,500.20" in shown.content
    assert b"$3,750.30" in shown.content
    assert as_(cast.grace).post(add, line).status_code == 404
    assert b"$" not in as_(cast.grace).get(page).content
    cost = Cost.objects.get(ingredient="Room")
    void = reverse("records:void-cost", args=[workshop.key, cost.key])
    assert as_(cast.grace).post(void).status_code == 404
    assert denise.post(void).status_code == 302
    assert denise.post(void).status_code == 404
    csv = b"".join(denise.get(reverse("records:costs-csv", args=[workshop.key]))).decode()
    assert "Old training" in csv
    assert "Room" not in csv


def test_a_results_file_goes_from_page_to_ledger(cast: Cast, instrument: Instrument) -> None:
    Person.objects.filter(pk=cast.leo.pk).update(source_id="1", district=cast.district)
    denise = as_(cast.denise)
    file = SimpleUploadedFile("fall.csv", b"Student ID,Semester,Scale Score\n1,Fall 2026,70\n2,Fall 2026,71\n")
    sent = denise.post(reverse("records:imports"), {"file": file, "organization": cast.district.pk})
    kept = OutcomeImport.objects.get()
    mapping = reverse("records:import-mapping", args=[kept.key])
    assert sent.headers["Location"] == mapping
    assert denise.get(reverse("records:import", args=[kept.key])).headers["Location"] == mapping
    suggested = denise.get(mapping).context["form"].initial
    assert (suggested["term"], suggested["value"]) == ("Semester", "Scale Score")
    chosen = {
        "instrument": instrument.pk,
        "subject": "student",
        "student": "Student ID",
        "term": "Semester",
        "keep_as": "Fall",
    }
    refused = denise.post(mapping, chosen)
    assert refused.status_code == 422
    assert "Say which column holds the result." in refused.content.decode()
    assert denise.post(mapping, chosen | {"value": "Scale Score"}).status_code == 302
    shown = denise.get(reverse("records:import", args=[kept.key]))
    assert (shown.context["preview"].rows_good, shown.context["preview"].rows_bad) == (1, 1)
    assert not Outcome.objects.exists()
    assert denise.post(reverse("records:start-import", args=[kept.key])).status_code == 302
    assert OutcomeImport.objects.get().state == "waiting"
    assert denise.get(reverse("records:import", args=[kept.key])).status_code == 200
    run_waiting()
    report = denise.get(reverse("records:import", args=[kept.key])).content.decode()
    assert "1 results were added" in report
    assert "No student “2” is known" in report
    assert Outcome.objects.get().value == 70
    assert "fewer than five" in denise.get(reverse("records:instrument", args=[instrument.key])).content.decode()


def test_a_page_of_thirty_entries_costs_no_more_queries_than_one(
    cast: Cast, workshop: Activity, django_assert_max_num_queries: Any
) -> None:
    actions.record(by=cast.amara, verb=verbs.ATTENDED, object=workshop, duration_s=60)
    client, url = as_(cast.grace), reverse("records:entries")
    client.get(url)
    counts = []
    for _time in range(2):
        with django_assert_max_num_queries(20) as counted:
            client.get(url)
        counts.append(len(counted.captured_queries))
        actions.record_statements(
            actions.Deed(by=person, verb=verbs.ATTENDED, object=workshop, duration_s=60)
            for person in (cast.amara, cast.tom) * 20
        )
    assert counts[0] == counts[1] <= 12


def test_time_is_priced_at_the_wage_of_the_role(cast: Cast, workshop: Activity) -> None:
    early = actions.record(by=cast.amara, verb=verbs.ATTENDED, object=workshop, duration_s=5400)
    actions.add_price(
        by=cast.denise, organization=cast.district, kind="wage", name="Teacher", role="teacher", unit="hour",
        unit_price_usd_cents=4137, benefits_percent=Decimal("28.5"), price_year=2026,
    )  # fmt: skip
    assert actions.price_time() == 1
    assert actions.price_time() == 0
    actions.record(by=cast.priya, verb=verbs.MENTORED, object=cast.amara, activity=workshop, duration_s=5400)
    assert [(each.statement, each.amount_usd_cents, each.quantity) for each in Cost.objects.all()] == [
        (early, 7974, Decimal("1.5"))
    ]
    actions.void_statement(by=cast.amara, statement=early)
    assert not Cost.objects.live().exists()
    assert sum(each.amount_usd_cents for each in Cost.objects.all()) == 0
