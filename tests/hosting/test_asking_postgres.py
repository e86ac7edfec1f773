"""Several questions in one journey to PostgreSQL: answers as psycopg gives them, errors as Django names them, and transactions as ever."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError
from django.db.utils import ConnectionHandler

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def connections(new_database: Callable[[str], str], django_db_blocker: Any) -> Iterator[ConnectionHandler]:
    """Two connections to one database with a table of two rows."""
    parts = urlsplit(new_database("journeys"))
    one = {
        "ENGINE": "staffroom.people.postgresql", "NAME": "journeys", "USER": parts.username, "HOST": parts.hostname,
        "PASSWORD": unquote(parts.password or ""), "PORT": parts.port,
    }  # fmt: skip
    handler = ConnectionHandler({"default": one, "other": {**one}})
    with django_db_blocker.unblock():
        handler["default"].go([("CREATE TABLE desk (id int PRIMARY KEY, name text)", [])])
        handler["default"].go([("INSERT INTO desk VALUES (%s, %s), (%s, %s)", [1, "oak", 2, "elm"])])
        yield handler
        for each in ("default", "other"):
            handler[each].close()


def test_journeys(connections: ConnectionHandler) -> None:
    """One after the other on one database: to make it costs more than all of them."""
    _answers_are_what_a_cursor_would_tell(connections["default"])
    _an_error_is_named_and_nothing_after_it_is_done(connections["default"])
    _a_transaction_begins_with_its_first_question(connections["default"], connections["other"])
    _a_connection_that_was_ended_is_told_and_can_be_made_anew(connections["default"], connections["other"])


def _answers_are_what_a_cursor_would_tell(connection: Any) -> None:
    key, text = uuid.uuid4(), "a\\b\t'c' %s – ß"
    sql = (
        "SELECT %s::int + 1, %s::uuid, %s::text, %s::bool, %s::int, 7 %% 4, id FROM desk WHERE id = ANY(%s) ORDER BY id"
    )
    values = [2**31 - 2, key, text, True, None, [1, 2, 3]]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        wanted = cursor.fetchall()
    # A second time: by then the question is known.
    for _time in range(2):
        assert connection.go([(sql, values)]) == [wanted]
    assert wanted[0][:5] == (2**31 - 1, key, text, True, None)
    none = ("SELECT id FROM desk WHERE id = ANY(%s)", [[]])
    assert connection.go([none, (sql, values), none]) == [[], wanted, []]
    # The same question with a number that is much larger.
    for number in (2, 70_000, 2**31 - 1):
        assert connection.go([("SELECT name FROM desk WHERE id < %s ORDER BY id", [number])])[0][0] == ("oak",)


def _an_error_is_named_and_nothing_after_it_is_done(connection: Any) -> None:
    add = "INSERT INTO desk VALUES (%s, %s)"
    with pytest.raises(IntegrityError, match="desk_pkey"):
        connection.go([(add, [3, "ash"]), (add, [1, "fir"]), (add, [4, "yew"])])
    with pytest.raises(ProgrammingError):
        connection.go([("SELECT * FROM chair", [])])
    assert connection.go([("SELECT count(*) FROM desk", [])]) == [[(2,)]]


def _a_transaction_begins_with_its_first_question(connection: Any, other: Any) -> None:
    add, count = "INSERT INTO desk VALUES (%s, %s)", [("SELECT count(*) FROM desk", [])]
    for end, there in (("rollback", 2), ("commit", 4)):
        connection.set_autocommit(False)
        connection.go([(add, [3, "ash"]), (add, [4, "yew"])])
        assert connection.go(count) == [[(4,)]]
        assert other.go(count) == [[(2,)]], "nobody else sees it yet"
        getattr(connection, end)()
        connection.set_autocommit(True)
        assert other.go(count) == [[(there,)]]


def _a_connection_that_was_ended_is_told_and_can_be_made_anew(connection: Any, other: Any) -> None:
    count = ("SELECT count(*) FROM desk", [])
    for questions in ([count], [count, count]):
        ((pid,),) = connection.go([("SELECT pg_backend_pid()", [])])[0]
        other.go([("SELECT pg_terminate_backend(%s)", [pid])])
        with pytest.raises(OperationalError):
            connection.go(questions)
        assert not connection.is_usable()
        connection.close()
        assert connection.go(questions) == [[(4,)]] * len(questions)
