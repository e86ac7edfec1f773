"""Five hundred traps for whoever reads JSON, forms, packed bodies, parts and headers: refused in words, nothing changed, none slow."""

from __future__ import annotations

import gzip
import json
import signal
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.exchange.knocking import COURSE, ToolAtTheDoor, agent, rows_held, statement

pytestmark = pytest.mark.django_db
LEAST = 500
LONGEST_S = 120  # for all of them, on a starved machine
KNOWN_ID = "5f0c2a6e-3a4e-4c39-9f5e-2f5b8a1e7c11"
GOOD = {**statement(), "id": KNOWN_ID}
TEXT = json.dumps(GOOD)
MB = 1024 * 1024


@pytest.fixture(autouse=True)
def bound() -> Iterator[None]:
    """No trap may hold the door up: the whole file ends in time, or fails."""

    def late(_number: int, _frame: Any) -> None:
        raise TimeoutError(f"not done after {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def around(value: str) -> list[bytes]:
    """The good statement with some JSON put into several of its places, raw."""
    places = [
        TEXT.replace('"object"', f'"result": {{"extensions": {{"https://v.example/x": {value}}}}}, "object"'),
        TEXT.replace('"object"', f'"context": {{"extensions": {{"https://v.example/x": {value}}}}}, "object"'),
        TEXT.replace(f'"{COURSE}"', value),
        TEXT.replace('"did"', value),
        f"[{TEXT}, {value}]",
        value,
    ]
    return [each.encode("utf-8", "surrogatepass") for each in places]


def numbers() -> Iterator[bytes]:
    for value in (
        "NaN", "-NaN", "nan", "Infinity", "-Infinity", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "1e400", "-1e400",
        "1e99999", "0b1", "1,5", "--1", "1e1.5", "1.e1", "١", "1f", "1n", "9" * 400,
    ):  # fmt: skip
        yield from around(value)


def strings() -> Iterator[bytes]:
    for value in (
        r'"\ud800"', r'"\udc00"', r'"\ud800\u0041"', r'"\udc00\ud800"', r'"x\uD83D"', r'"\u0000"', r'"a\u0000b"', '"a\x00b"', '"\x1f"',
        '"\n"', '"\t"', r'"\x41"', r'"\u12"', r'"\u{41}"', r'"\a"', "'x'", '"x', "`x`", '"\\"', '"\ud800"', '"a\udfffb"',
    ):  # fmt: skip
        yield from around(value)
    yield TEXT.replace('"did"', r'{"en": "x", "e\u0000": "y"}').encode()
    yield TEXT.replace('"mbox"', r'"mb\u0000ox"').encode()


def structures() -> Iterator[bytes]:
    for depth in (300, 1_000, 1_100, 10_000, 100_000, 1_000_000):
        yield from around("[" * depth + "]" * depth)[:2]
        yield from around('{"a":' * depth + "1" + "}" * depth)[:2]
        yield ("[" * depth).encode()
        yield ('{"a":' * depth).encode()
        yield ("[" * depth + TEXT + "]" * depth).encode()
        yield ('[{"a":' * depth).encode()
    for value in (
        "{,}", "[,]", "[1,]", '{"a":1,}', '{"a"}', '{"a" 1}', "{a:1}", "{1:1}", "[1 2]", "//x\n1", "/*x*/1", "undefined", "True", "None",
        "nul", "tru", "", " ", "[", "]", "{", "}", ":", ",", "[}", "{]", "null null", "{} {}", '{"a":1}}', "[]]", "\x0b1", "\x0c1", "1\x00",
        "\u00a01", "\u20281", "\ufeff1", "#1", "; drop", "<x/>", "---\na: 1", "---", "\\", "\"", "$",
    ):  # fmt: skip
        yield from around(value)[2:5]
    for cut in range(1, len(TEXT), 9):
        yield TEXT[:cut].encode()
    for after in ("x", "}", ",", "\x00", TEXT, "null", "//", "\ufeff"):
        yield (TEXT + after).encode()


def doubled() -> Iterator[bytes]:
    for name in ("id", "actor", "verb", "object"):
        value = json.dumps(GOOD[name])
        escaped = "".join(f"\\u{ord(each):04x}" for each in name)
        half = f"\\u{ord(name[0]):04X}{name[1:]}"
        for again in (
            f'"{name}":{value}', f'"{name}": {value}', f'"{name}" :{value}', f'"{name}"\n:\t{value}', f'"{name}"\r:{value}',
            f'"{escaped}":{value}', f'"{half}": {value}', f'"{escaped}" : {value}', f'"{name}":null', f'"{name}":"\\":"',
        ):  # fmt: skip
            yield (TEXT[:-1] + "," + again + "}").encode()
            yield ("{" + again + "," + TEXT[1:]).encode()
    for inner in (
        '{"en":"a","en":"b"}',
        '{"en":"a","\\u0065n":"b"}',
        '{"en":"\\":","en":"b"}',
        '{"en" :"a","en"\t:"b"}',
    ):
        yield TEXT.replace('{"en": "did"}', inner).encode()
        yield f"[{TEXT.replace(json.dumps(GOOD['verb']['display']), inner)}]".encode()
    extensions = '"context": {"extensions": {"https://v.example/x": [[{"a":1,"a":1}]]}}, "object"'
    yield TEXT.replace('"object"', extensions).encode()
    yield TEXT.replace('"object"', extensions.replace('"a":1,"a"', '"":1,""')).encode()


def encodings() -> Iterator[bytes]:
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig", "utf-7"):
        packed = TEXT.replace("did", "dïd").encode(name) if name != "utf-7" else TEXT.replace("{", "+AHs-").encode()
        yield packed
        yield b"[" + packed + b"]"
    spoiled = TEXT.replace("did", "d\u00efd")
    for name in ("latin-1", "cp1252", "iso8859_15"):
        yield spoiled.encode(name)
    for junk in (
        b"\xff",
        b"\xc0\x80",
        b"\xe2\x28\xa1",
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xc3",
        b"\x80",
    ):
        yield TEXT.encode().replace(b'"did"}', b'"' + junk + b'"}')
        yield junk + TEXT.encode()
        yield TEXT.encode() + junk


BODIES = [*numbers(), *strings(), *structures(), *doubled(), *encodings()]


def test_there_are_enough_traps() -> None:
    assert len(set(BODIES)) >= LEAST


def test_no_trap_in_a_body_is_taken_for_statements(tool: ToolAtTheDoor) -> None:
    before, wrong = rows_held(), []
    for number, body in enumerate(BODIES):
        if number % 7 == 0:
            answer = tool.ask("PUT", "statements", body, query={"statementId": KNOWN_ID})
        else:
            answer = tool.speaking(1 + number % 2).ask("POST", "statements", body)
        if answer.status_code != 400 or not answer.json()["detail"]:
            wrong.append(f"{body[:150]!r} ({len(body)}): {answer.status_code} {answer.content[:100]!r}")
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:20])
    assert rows_held() == before


def test_no_trap_is_taken_for_a_document_of_json_or_for_an_agent(tool: ToolAtTheDoor) -> None:
    before, wrong = rows_held(), []
    where = {"activityId": COURSE, "agent": json.dumps(agent()), "stateId": "place"}
    for body in [each for each in BODIES if is_no_json(each)][::6]:
        answer = tool.ask("PUT", "activities/state", body, query=where)
        if answer.status_code != 400:
            wrong.append(f"{body[:150]!r}: {answer.status_code}")
        if len(body) < 4000:
            told = tool.get("agents", agent=body.decode("utf-8", "replace"))
            if told.status_code != 400:
                wrong.append(f"agent {body[:150]!r}: {told.status_code}")
    assert not wrong, "\n".join(wrong[:20])
    assert rows_held() == before


def is_no_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return True
    return False


# --- Large, packed, cut ------------------------------------------------------------------------------------------------------------


def test_what_is_too_large_is_refused_before_it_is_unpacked(tool: ToolAtTheDoor) -> None:
    before = rows_held()
    long = TEXT.replace('"did"', json.dumps("x" * (10 * MB)))
    assert tool.ask("POST", "statements", long).status_code == 413
    bombs = [
        gzip.compress(b"[" + b" " * (200 * MB)),
        gzip.compress(b'"' + b"x" * (11 * MB)),
        gzip.compress(long.encode()),
    ]
    for bomb in bombs:
        answer = tool.ask("POST", "statements", bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 413, answer.content
    twice = gzip.compress(bombs[0])
    assert tool.ask("POST", "statements", twice, headers={"Content-Encoding": "gzip"}).status_code == 400
    assert rows_held() == before


def test_a_string_of_nearly_ten_megabytes_is_only_a_string(tool: ToolAtTheDoor) -> None:
    long = statement(result={"response": "x" * (10 * MB - 1000)})
    assert tool.ask("POST", "statements", long).status_code == 200
    assert len(tool.get(statementId=long["id"]).json()["result"]["response"]) == 10 * MB - 1000


def test_many_statements_are_too_many(tool: ToolAtTheDoor) -> None:
    before = rows_held()
    assert tool.ask("POST", "statements", b"[" + b",".join([b"1"] * 10_001) + b"]").status_code == 413
    assert tool.ask("POST", "statements", b"[" + b",".join([b"{}"] * 10_000) + b"]").status_code == 400
    assert rows_held() == before


def _packed() -> dict[str, tuple[bytes, str, int]]:
    whole = gzip.compress(TEXT.encode())
    return {
        "not gzip": (TEXT.encode(), "gzip", 400),
        "cut": (whole[:-9], "gzip", 400),
        "without its end": (whole[:-8], "gzip", 400),
        "wrong sum": (whole[:-8] + b"\0" * 8, "gzip", 400),
        "something after": (whole + b"x", "gzip", 400),
        "two": (whole + whole, "gzip", 400),
        "zlib": (zlib.compress(TEXT.encode()), "gzip", 400),
        "empty": (b"", "gzip", 400),
        "deflate": (zlib.compress(TEXT.encode()), "deflate", 415),
        "br": (TEXT.encode(), "br", 415),
        "two encodings": (gzip.compress(whole), "gzip, gzip", 415),
    }


@pytest.mark.parametrize("name", _packed())
def test_a_badly_packed_body_is_refused(tool: ToolAtTheDoor, name: str) -> None:
    body, encoding, status = _packed()[name]
    before = rows_held()
    assert tool.ask("POST", "statements", body, headers={"Content-Encoding": encoding}).status_code == status
    assert rows_held() == before


# --- Parts, headers, parameters ----------------------------------------------------------------------------------------------------

MIXED = "multipart/mixed; boundary=xx"
PART = b"--xx\r\nContent-Type: application/json\r\n\r\n" + TEXT.encode() + b"\r\n"
SHA = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"
BYTES = (
    b"--xx\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "
    + SHA.encode()
    + b"\r\n\r\nx\r\n"
)
PARTS: list[tuple[str, bytes]] = [
    ("multipart/mixed", PART + b"--xx--\r\n"),
    ("multipart/mixed; boundary=", PART + b"--xx--\r\n"),
    (f"multipart/mixed; boundary={'x' * 71}", PART + b"--xx--\r\n"),
    ("multipart/mixed; boundary=yy", PART + b"--xx--\r\n"),
    ("multipart/form-data; boundary=xx", PART + b"--xx--\r\n"),
    (MIXED, b""),
    (MIXED, b"--xx--"),
    (MIXED, b"--xx--\r\n"),
    (MIXED, PART),
    (MIXED, PART + b"--xx"),
    (MIXED, PART.replace(b"application/json", b"text/plain") + b"--xx--"),
    (MIXED, PART.replace(b"\r\n\r\n", b"\r\n") + b"--xx--"),
    (MIXED, PART.replace(b"Content-Type: ", b"Content-Type ") + b"--xx--"),
    (MIXED, PART.replace(b"{", b"", 1) + b"--xx--"),
    (MIXED, PART + PART + b"--xx--"),
    (MIXED, PART + BYTES + b"--xx--"),  # nobody lists it
    (MIXED, PART + BYTES.replace(SHA.encode(), b"f" * 64) + b"--xx--"),
    (MIXED, PART + BYTES.replace(SHA.encode(), b"f" * 63) + b"--xx--"),
    (MIXED, PART + BYTES.replace(SHA.encode(), b"") + b"--xx--"),
    (MIXED, PART + BYTES.replace(b"binary", b"base64") + b"--xx--"),
    (MIXED, PART + BYTES.replace(b"Content-Transfer-Encoding: binary\r\n", b"") + b"--xx--"),
    (MIXED, BYTES + PART + b"--xx--"),
    (MIXED, b"--xx\r\n" * 50_000 + b"--xx--"),
    ("text/plain", TEXT.encode()),
    ("", TEXT.encode()),
    ("application/x-www-form-urlencoded", TEXT.encode()),
    ("application/json-patch+json", b"[]"),
    ("application/jsonx", TEXT.encode()),
]


def test_parts_that_do_not_fit_are_refused(tool: ToolAtTheDoor) -> None:
    before, wrong = rows_held(), []
    for content_type, body in PARTS:
        for major in (1, 2):
            answer = tool.speaking(major).ask("POST", "statements", body, content_type=content_type)
            if answer.status_code != 400:
                wrong.append(f"{content_type} {body[:120]!r}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert rows_held() == before


HEADERS = [
    *({"X-Experience-API-Version": each} for each in ("", "1", "1.0.3.1", "0.9", "0.95", "1.1.0", "3.0.0", "latest",
      "1.0.x", "2", "1.0.3, 2.0.0",
      "١.0.3")),
    *({"Authorization": each} for each in (
        "", "Basic", "Basic !", "Basic Og==", "Basic \u00fc", "Basic AGE6AGI=", "Bearer", "Bearer x", "Bearer \x00", "Digest x", "x" * 9000,
        "Basic " + "QUFB" * 5000,
    )),
]  # fmt: skip


def test_headers_that_mean_nothing_are_refused(tool: ToolAtTheDoor) -> None:
    before, wrong = rows_held(), []
    for headers in HEADERS:
        for method, body in (("GET", b""), ("POST", TEXT)):
            answer = tool.ask(method, "statements", body, headers=headers)
            if answer.status_code not in (400, 401):
                wrong.append(f"{headers} {method}: {answer.status_code}")
    for length in ("-1", "x", "1e3", "9" * 40, "٣"):
        answer = tool.client.post(
            "/xapi/statements", TEXT, content_type="application/json", headers=tool.headers, CONTENT_LENGTH=length
        )
        if answer.status_code not in (400, 413):
            wrong.append(f"Content-Length {length}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert rows_held() == before


QUERIES = (
    "agent=%00", "agent=%ff", "agent=%ed%a0%80", "agent=1", "agent=null", "agent=[]", "agent={}", "agent=%7B%22mbox%22:%22x%22%7D",
    "agent=",
    "verb=", "verb=x", "verb=a%20b:c", "activity=", "activity=x", "registration=x", "registration=", "since=x", "since=", "until=2026",
    "since=2026-09-01", "since=0000-00-00T00:00:00Z", "since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00", "limit=-1",
    "limit=x", "limit=1.5", "limit=" + "9" * 13, "limit=%D9%A3", "limit=", "ascending=yes", "ascending=", "related_agents=1",
    "related_activities=TRUE", "attachments=x", "format=", "format=EXACT", "more=", "more=x", "more=x:y:z", "more=%ff", "statementId=",
    "statementId=x", "voidedStatementId=1", f"statementId={KNOWN_ID}&voidedStatementId={KNOWN_ID}", f"statementId={KNOWN_ID}&limit=1",
    "Agent=x", "x=y", "limit=1&limit=1", "limit=1&%6Cimit=2", "&".join(f"x{n}=1" for n in range(101)), "more=x&limit=1",
    "agent=" + "%5B" * 5000, "agent=%7B%22mbox%22:%22mailto:a@b.c%22,%22mbox%22:%22mailto:a@b.c%22%7D",
)  # fmt: skip


def test_questions_that_mean_nothing_are_refused(either: ToolAtTheDoor) -> None:
    wrong = []
    for query in QUERIES:
        answer = either.ask("GET", f"statements?{query}")
        if answer.status_code != 400 or not answer.json()["detail"]:
            wrong.append(f"{query[:80]}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "since",
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2026-09-01T08:30:60Z", "1969-12-31T23:59:59+05:30"],
)
def test_moments_at_the_ends_of_the_calendar_are_moments(tool: ToolAtTheDoor, since: str) -> None:
    one = statement(timestamp=since)
    tool.post(one)
    assert (one["id"] in tool.found(since=since, verb=one["verb"]["id"])) == (since < "2026-11")
    assert (one["id"] in tool.found(until=since, verb=one["verb"]["id"])) == (since > "2026-11")
    assert tool.get(statementId=one["id"]).json()["timestamp"] == since
    assert tool.get("activities/state", activityId=COURSE, agent=agent(), since=since).json() == []


def test_forms_that_mean_nothing_are_refused(tool: ToolAtTheDoor) -> None:
    """The alternate request syntax of 1.0.3 (Communication 1.3): what is hidden in a form is held to the same rules."""
    before, form = rows_held(), "application/x-www-form-urlencoded"
    place = f"activityId={COURSE}&agent=%7B%22mbox%22:%22mailto:a@b.example%22%7D&stateId=s"
    wrong = []
    for query, body, content_type in (
        ("method=PUT", place, form),  # no content
        ("method=PUT", f"{place}&content=x&Content-Type=text/plain%0D%0ASet-Cookie:%20x", form),
        ("method=PUT", f"{place}&content=x&Content-Type=text/plain%0Ax", form),
        ("method=PUT", f"{place}&content=x&content=y", form),
        ("method=PUT", f"{place}&content=%00", form),
        ("method=PUT", f"{place}&content=%ff", form),
        ("method=PUT", b"\xff\xfe", form),
        ("method=PUT&stateId=s", f"{place}&content=x", form),
        ("method=PATCH", f"{place}&content=x", form),
        ("method=", f"{place}&content=x", form),
        ("method=PUT", f"{place}&content=x", "application/json"),
        ("method=PUT", f"{place}&content=x", "multipart/form-data; boundary=x"),
        ("method=PUT", f"{place}&content=%7B&Content-Type=application/json", form),
        ("method=PUT", f"{place}&content=x&X-Experience-API-Version=2.0.0", form),
    ):  # fmt: skip
        answer = tool.ask("POST", f"activities/state?{query}", body, content_type=content_type)
        if not 400 <= answer.status_code < 500:
            wrong.append(f"{query} {body[:200]!r}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert rows_held() == before


def test_long_names_of_documents_are_refused_or_kept(tool: ToolAtTheDoor) -> None:
    where = {"activityId": COURSE, "agent": json.dumps(agent())}
    for name, status in (("x" * 2000, 204), ("x" * 2001, 400), ("é" * 1001, 400), (str(uuid.uuid4()), 204)):
        answer = tool.ask("PUT", "activities/state", b"1", query={**where, "stateId": name})
        assert answer.status_code == status, name
