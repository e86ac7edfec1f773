"""Administrators let programs in by keys, see what each did, and shut it out at once; nobody else finds these pages."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from staffroom.exchange import queries, rules, scopes
from staffroom.exchange.actions import keys, rejections
from staffroom.exchange.models import Rejection
from staffroom.people.models import Membership, Person, Role
from staffroom.permissions.models import ApiKey, Tool
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast
from tests.exchange.knocking import COURSE, ToolAtTheDoor, agent, knock, statement, token_for, told

PAGES = ("/tools/", "/tools.csv", "/tools/new/")
EVERYBODY_ELSE = ("amara", "priya", "grace", "denise", "ruth", "rafael", "leo", "vera")


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def administrator_of(organization: Any, given: str = "Sam") -> Person:
    made = Person.objects.create_user(email=f"{given.lower()}@riverbend.example", given_name=given, family_name="Reyes")
    Membership.objects.create(person=made, organization=organization, role=Role.ADMINISTRATOR)
    return made


def make_key(client: Client, tool: Tool, *words: str) -> tuple[str, str, str]:
    """Make a key by the page: its name, its secret, and the page that showed it."""
    answer = client.post(f"/tools/{tool.key}/keys/new/", {"scopes": words or scopes.DEFAULT.split()})
    assert answer.status_code == 200, answer.content
    shown = [html.unescape(each) for each in re.findall(r"<pre><code>(.*?)</code></pre>", answer.text, re.DOTALL)]
    return shown[1], shown[2], answer.text


@pytest.fixture
def workshops(cast: Cast) -> Tool:
    return keys.add_tool(by=cast.omar, organization=cast.district, name="Workshops")


# --- Who ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", EVERYBODY_ELSE)
def test_for_everybody_else_there_are_no_such_pages(cast: Cast, workshops: Tool, who: str) -> None:
    client, key = browser(getattr(cast, who)), keys.make_key(by=cast.omar, tool=workshops, scopes=["all"])[0]
    mine = f"/tools/{workshops.key}/"
    for page in (*PAGES, mine, f"{mine}keys/new/"):
        assert client.get(page).status_code == 404, page
    for deed in ("/tools/new/", f"{mine}retire/", f"{mine}keys/new/", f"{mine}keys/{key.name}/revoke/"):
        assert client.post(deed, {"scopes": ["all"], "name": "X"}).status_code == 404, deed
    assert "/tools/" not in client.get("/").text
    key.refresh_from_db()
    assert (key.revoked_at, Tool.objects.count(), ApiKey.objects.count()) == (None, 1, 1)


def test_who_is_not_signed_in_is_asked_to(cast: Cast, workshops: Tool) -> None:
    for page in (*PAGES, f"/tools/{workshops.key}/"):
        assert Client().get(page).status_code == 302


def test_administrators_find_the_way(cast: Cast, workshops: Tool) -> None:
    client = browser(cast.omar)
    assert 'href="/tools/"' in client.get("/").text
    assert "Workshops" in client.get("/tools/").text
    assert "Workshops" in "".join(part.decode() for part in client.get("/tools.csv"))


def test_a_school_administrator_keeps_the_tools_of_the_school_alone(cast: Cast, workshops: Tool) -> None:
    sam = administrator_of(cast.alder)
    own = keys.add_tool(by=sam, organization=cast.alder, name="Alder's reading course")
    elsewhere = keys.add_tool(by=cast.omar, organization=cast.birch, name="Birch's choir")
    client = browser(sam)
    page = client.get("/tools/").text
    assert "reading course" in page
    assert "Workshops" not in page
    assert "choir" not in page
    for other in (workshops, elsewhere):
        assert client.get(f"/tools/{other.key}/").status_code == 404
        assert client.post(f"/tools/{other.key}/keys/new/", {"scopes": ["all"]}).status_code == 404
        assert client.post(f"/tools/{other.key}/retire/").status_code == 404
    assert client.get(f"/tools/{own.key}/").status_code == 200
    everything = browser(cast.omar).get("/tools/").text
    assert all(each in everything for each in ("reading course", "Workshops", "choir"))


def test_a_tool_is_added_only_to_a_place_that_one_administers(cast: Cast) -> None:
    client = browser(administrator_of(cast.alder))
    form = client.get("/tools/new/").text
    assert "Alder Elementary" in form
    assert "Birch" not in form
    assert "Riverbend" not in form
    for place in (cast.birch, cast.district, cast.other_district):
        assert client.post("/tools/new/", {"organization": place.pk, "name": "Choir"}).status_code == 422
    assert not Tool.objects.exists()


def test_two_districts_know_nothing_of_each_other(cast: Cast, workshops: Tool) -> None:
    lake = administrator_of(cast.other_district, "Lara")
    key = keys.make_key(by=cast.omar, tool=workshops, scopes=["all"])[0]
    own = keys.add_tool(by=lake, organization=cast.other_district, name="Workshops")
    client = browser(lake)
    assert [each["tool"] for each in map(vars, queries.lines_for(lake))] == [own]
    assert client.get(f"/tools/{workshops.key}/").status_code == 404
    # Nor by the name of a key of theirs beside a tool of one's own.
    assert client.post(f"/tools/{own.key}/keys/{key.name}/revoke/").status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_the_deeds_themselves_refuse_as_the_pages_do(cast: Cast, workshops: Tool) -> None:
    key = keys.make_key(by=cast.omar, tool=workshops, scopes=["all"])[0]
    for who in (*(getattr(cast, each) for each in EVERYBODY_ELSE), administrator_of(cast.alder)):
        with pytest.raises(PermissionDenied):
            keys.add_tool(by=who, organization=cast.district, name="X")
        with pytest.raises(PermissionDenied):
            keys.make_key(by=who, tool=workshops, scopes=["all"])
        with pytest.raises(PermissionDenied):
            keys.revoke_key(by=who, key=key)
        with pytest.raises(PermissionDenied):
            keys.retire_tool(by=who, tool=workshops)


def test_the_rule_for_one_and_the_rule_for_many_agree(cast: Cast) -> None:
    places = (cast.district, cast.alder, cast.birch, cast.other_district)
    for place in places:
        keys.add_tool(by=None, organization=place, name="Any")
    for person in (*cast.people.values(), administrator_of(cast.alder), administrator_of(cast.other_district, "Lara")):
        many = set(Tool.objects.filter(rules.tools_kept_by(person)))
        assert many == {each for each in Tool.objects.all() if rules.may_keep_tools(person, each.organization)}


# --- Tools and keys ------------------------------------------------------------------------------------------------------------------


def test_a_tool_is_added_and_let_in(cast: Cast) -> None:
    client = browser(cast.omar)
    answer = client.post("/tools/new/", {"organization": cast.district.pk, "name": " Workshops ", "note": "Ask Kim."})
    tool = Tool.objects.get()
    assert (answer.headers["Location"], tool.name, tool.created_by) == (f"/tools/{tool.key}/", "Workshops", cast.omar)
    name, secret, _page = make_key(client, tool)
    assert knock(told(name, secret)) == 200
    assert knock(told(name, secret[:-1])) == 401
    page = client.get(f"/tools/{tool.key}/").text
    assert "Ask Kim." in page
    assert name in page
    assert "write statements" in page


def test_a_name_stands_once_in_an_organization_and_what_was_typed_stays(cast: Cast, workshops: Tool) -> None:
    answer = browser(cast.omar).post(
        "/tools/new/", {"organization": cast.district.pk, "name": "Workshops", "note": "Kim again"}
    )
    assert answer.status_code == 422
    assert "has a tool of this name already" in answer.text
    assert "Kim again" in answer.text


def test_a_tool_is_called_something_else_and_keeps_its_keys(cast: Cast, workshops: Tool) -> None:
    omar, page = browser(cast.omar), f"/tools/{workshops.key}/change/"
    name, secret, _page = make_key(omar, workshops)
    keys.add_tool(by=cast.omar, organization=cast.district, name="Courses")
    refused = omar.post(page, {"name": "Courses", "note": "Ask Ines"})
    assert (refused.status_code, "Ask Ines" in refused.text) == (422, True)
    assert omar.post(page, {"name": "Workshops of Acme", "note": "Ask Ines"}).status_code == 302
    assert "Workshops of Acme" in omar.get(f"/tools/{workshops.key}/").text
    assert knock(told(name, secret)) == 200


@pytest.mark.parametrize("words", [[], ["statements/everything"], ["all", "root"]])
def test_a_key_has_scopes_that_there_are(cast: Cast, workshops: Tool, words: list[str]) -> None:
    answer = browser(cast.omar).post(f"/tools/{workshops.key}/keys/new/", {"scopes": words})
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_the_secret_is_shown_once_and_kept_nowhere(cast: Cast, workshops: Tool) -> None:
    client = browser(cast.omar)
    name, secret, _page = make_key(client, workshops)
    assert len(base64.urlsafe_b64decode(secret + "=")) * 8 >= 128
    answer = client.get(f"/tools/{workshops.key}/")
    assert name in answer.text
    assert secret not in answer.text
    assert secret not in client.get("/tools/").text
    key = ApiKey.objects.get()
    assert secret not in str(vars(key))
    assert key.secret_hash not in answer.text
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())
    assert all(secret not in json.dumps(entry.body) for entry in Statement.objects.all())


def test_no_cache_and_no_address_ever_holds_the_secret(cast: Cast, workshops: Tool) -> None:
    answer = browser(cast.omar).post(f"/tools/{workshops.key}/keys/new/", {"scopes": ["all"]})
    assert answer.status_code == 200, "a redirect would carry the secret in an address, a cookie or a session"
    assert "no-store" in answer.headers["Cache-Control"]
    assert set(answer.cookies) <= {"csrftoken"}


def test_the_form_offers_little_first(cast: Cast, workshops: Tool) -> None:
    page = browser(cast.omar).get(f"/tools/{workshops.key}/keys/new/").text
    boxes = re.findall(r"<input[^>]*name=\"scopes\"[^>]*>", page)
    chosen = [re.findall(r'value="([^"]+)"', box)[0] for box in boxes if "checked" in box]
    assert (chosen, len(boxes)) == (["statements/write", "statements/read/mine", "define"], len(scopes.MEANINGS))


def test_the_lines_on_the_page_run_as_they_stand(cast: Cast, workshops: Tool, settings: Settings) -> None:
    """What a program's maker copies is parsed as a shell would, and sent."""
    _name, _secret, page = make_key(browser(cast.omar), workshops)
    shown = [html.unescape(each) for each in re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)]
    write, get_token, read = (shlex.split(each.replace("\\\n", " ")) for each in shown[-3:])
    assert send(write, settings).status_code == 200
    assert Statement.objects.filter(tool=workshops).count() == 1
    token = send(get_token, settings).json()["access_token"]
    found = send([each.replace("TOKEN", token) for each in read], settings)
    assert len(found.json()["statements"]) == 1


def send(command: list[str], settings: Settings) -> Any:
    """What curl would do with these arguments."""
    assert command[0] == "curl"
    address = command[-1].removeprefix(settings.SITE_URL)
    options = list(zip(command[1:-1:2], command[2:-1:2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    for name, value in options:
        if name == "-u":
            headers["Authorization"] = f"Basic {base64.b64encode(value.encode()).decode()}"
    body = next((value for name, value in options if name == "-d"), None)
    if body is None:
        return Client().get(address, headers=headers)
    kind = headers.pop("Content-Type", "application/x-www-form-urlencoded")
    return Client().post(address, body, content_type=kind, headers=headers)


# --- Shutting out --------------------------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_on_the_very_next_request(cast: Cast, workshops: Tool) -> None:
    client = browser(cast.omar)
    name, secret, _page = make_key(client, workshops, "all")
    token = token_for(name, secret).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}", "X-Experience-API-Version": "2.0.0"}
    other, other_secret, _page = make_key(client, workshops)
    assert (knock(told(name, secret)), knock(bearer)) == (200, 200)
    client.post(f"/tools/{workshops.key}/keys/{name}/revoke/")
    assert (knock(told(name, secret)), knock(bearer)) == (401, 401)
    assert token_for(name, secret).status_code == 401
    assert knock(told(other, other_secret)) == 200, "its other keys stay"
    assert "revoked" in client.get(f"/tools/{workshops.key}/").text


def test_a_retired_tool_is_shut_out_with_all_its_keys_and_what_it_wrote_stays(cast: Cast) -> None:
    tool, client = ToolAtTheDoor(cast.district), browser(cast.omar)
    tool.post(statement())
    token = token_for(tool.key.name, tool.secret).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}", "X-Experience-API-Version": "1.0.3"}
    client.post(f"/tools/{tool.tool.key}/retire/")
    assert (tool.get().status_code, knock(bearer), token_for(tool.key.name, tool.secret).status_code) == (401, 401, 401)
    assert Statement.objects.filter(tool=tool.tool).count() == 1
    page = client.get(f"/tools/{tool.tool.key}/").text
    assert "Retired" in page
    assert "Make a key" not in page
    assert client.post(f"/tools/{tool.tool.key}/keys/new/", {"scopes": ["all"]}).status_code == 422


def test_each_deed_is_an_entry_of_the_ledger_once(cast: Cast) -> None:
    tool = keys.add_tool(by=cast.omar, organization=cast.alder, name="Reading")
    key = keys.make_key(by=cast.omar, tool=tool, scopes=["all"])[0]
    for _again in range(2):
        keys.revoke_key(by=cast.ines, key=key)
        keys.retire_tool(by=cast.ines, tool=tool)
    entries = list(Statement.objects.order_by("pk"))
    assert [(each.actor, each.verb) for each in entries] == [
        (cast.omar, verbs.CREATED.iri), (cast.omar, verbs.CREATED.iri), (cast.ines, verbs.REMOVED.iri),
        (cast.ines, verbs.REMOVED.iri),
    ]  # fmt: skip
    assert {each.organization for each in entries} == {cast.alder}
    assert "Reading" not in json.dumps([each.body for each in entries])


# --- What the pages tell -------------------------------------------------------------------------------------------------------------


def test_the_page_tells_what_was_written_and_nothing_of_whom_or_in_which_words(cast: Cast) -> None:
    tool = ToolAtTheDoor(cast.district)
    said = statement(
        actor={"name": "Amara Okafor", "mbox": "mailto:amara@riverbend.example"},
        object={"id": COURSE, "definition": {"name": {"en": "Heronmarsh diary"}}},
        result={"response": "Plovershore", "duration": "PT1M"},
    )
    about_somebody = statement(object={**agent("ben"), "name": "Ben Castillo"})
    tool.post(said, about_somebody)
    page = browser(cast.omar).get(f"/tools/{tool.tool.key}/").text
    assert COURSE in page
    assert "a person" in page
    for hidden in ("Amara", "amara@", "Heronmarsh", "Plovershore", "Castillo", "ben@"):
        assert hidden not in page


def test_the_page_tells_what_was_refused_and_why(cast: Cast) -> None:
    tool = ToolAtTheDoor(cast.district)
    for _again in range(3):
        tool.ask("POST", "statements", statement(verb={"id": "no iri: Turnstonerock"}))
    page = browser(cast.omar).get(f"/tools/{tool.tool.key}/").text
    assert "POST /xapi/statements" in page
    assert "verb.id" in page
    assert "Turnstonerock" not in page
    assert [(each.count, each.status) for each in queries.refusals_of(tool.tool)] == [(3, 400)]
    Rejection.objects.update(at=timezone.now() - timedelta(days=8))
    assert rejections.forget_old() == 3
    assert "Nothing was refused" in browser(cast.omar).get(f"/tools/{tool.tool.key}/").text


def test_entries_of_the_last_thirty_days_are_counted_by_tool(cast: Cast) -> None:
    tool, quiet = ToolAtTheDoor(cast.district), ToolAtTheDoor(cast.district)
    tool.post(*(statement() for _each in range(3)))
    [line] = [each for each in queries.lines_for(cast.omar) if each.tool == tool.tool]
    assert (line.written, line.keys, line.last_used_at is not None) == (3, 1, True)
    [line] = [each for each in queries.lines_for(cast.omar) if each.tool == quiet.tool]
    assert (line.written, line.refused, line.last_used_at) == (0, 0, None)


def test_counting_reads_the_index_of_tools_alone(cast: Cast, tool: ToolAtTheDoor) -> None:
    with CaptureQueriesContext(connection) as captured:
        queries.written_by([tool.tool])
    [query] = captured.captured_queries
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {query['sql']}")
        plan = str(cursor.fetchall())
    if connection.vendor == "sqlite":
        assert "COVERING INDEX statement_by_tool" in plan


@pytest.mark.parametrize("which", ["list", "tool"])
def test_thirty_rows_cost_what_one_costs(cast: Cast, which: str) -> None:
    tool, client = ToolAtTheDoor(cast.district), browser(cast.omar)
    address = "/tools/" if which == "list" else f"/tools/{tool.tool.key}/"

    def add(number: int) -> None:
        if which == "list":
            ToolAtTheDoor(cast.alder).post(statement())
        keys.make_key(by=cast.ines, tool=tool.tool, scopes=["all"])
        tool.post(statement())
        tool.ask("POST", "statements", {"no": number})

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    add(0)
    client.get(address)
    one = cost()
    for number in range(1, 10):
        add(number)
    assert cost() <= one <= 12
