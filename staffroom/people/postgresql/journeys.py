"""Questions and commands in libpq's own words, several in one journey to PostgreSQL.

Each is read and planned once for a connection, and from then on only told the values. A cursor would do the same at several times the
cost in Python, and begin a transaction by a journey of its own. Values go as text, of the type that the server finds they must have:
so a question is the same question whether a number in it is small or large.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus, TransactionStatus

type Told = tuple[str, Sequence[Any]]
type Rows = list[tuple[Any, ...]]

_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Journeys:
    """What one connection was asked before."""

    def __init__(self, raw: Connection[Any]) -> None:
        self._raw = raw
        self._names: dict[str, bytes] = {}
        self._values = Transformer(raw)

    def go(self, told: Sequence[Told]) -> list[Rows]:
        """Ask all of it at once; the rows of each. The first that fails is raised, and what came after it was not done."""
        begin = self._begin()
        names = [self._name(sql) for sql, _values in told]
        values = [self._dumped(each) for _sql, each in told]
        line = self._raw.pgconn
        if len(told) == 1 and not begin:
            results = [line.exec_prepared(names[0], values[0])]
        else:
            results = self._in_a_line(begin, names, values)[1 if begin else 0 :]
        return [self._rows(each) for each in results]

    def commit(self) -> None:
        line = self._raw.pgconn
        if line.transaction_status != TransactionStatus.IDLE:
            self._check(line.exec_(b"COMMIT"))

    def _begin(self) -> bytes:
        """The command that begins a transaction, where one is due: in psycopg's way, with the first that is asked in it."""
        if self._raw.autocommit or self._raw.pgconn.transaction_status != TransactionStatus.IDLE:
            return b""
        return self._raw._get_tx_start_command()

    def _in_a_line(self, begin: bytes, names: list[bytes], values: list[Sequence[Any]]) -> list[Any]:
        line = self._raw.pgconn
        line.enter_pipeline_mode()
        try:
            if begin:
                line.send_query_params(begin, [])
            for name, each in zip(names, values, strict=True):
                line.send_query_prepared(name, each)
            line.pipeline_sync()
            results = []
            for _each in range(len(names) + bool(begin)):
                results.append(line.get_result())
                while line.get_result() is not None:
                    pass
            line.get_result()
            if line.status == ConnStatus.OK:
                line.exit_pipeline_mode()
        finally:
            if line.pipeline_status != PipelineStatus.OFF:
                self._raw.close()  # nobody knows any longer which answer would come next
        return results

    def _name(self, sql: str) -> bytes:
        name = self._names.get(sql)
        if name is None:
            name = b"staffroom_%d" % len(self._names)
            self._check(self._raw.pgconn.prepare(name, _numbered(sql)))
            self._names[sql] = name
        return name

    def _dumped(self, values: Sequence[Any]) -> Sequence[Any]:
        return self._values.dump_sequence(values, [PyFormat.TEXT] * len(values))

    def _rows(self, result: Any) -> Rows:
        self._check(result)
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, tuple) if result.ntuples else []

    def _check(self, result: Any) -> None:
        if result is not None and result.status in _GOOD:
            return
        line = self._raw.pgconn
        if result is None or line.status != ConnStatus.OK:
            raise OperationalError(line.get_error_message())
        raise error_from_result(result)


@lru_cache(1000)
def _numbered(sql: str) -> bytes:
    """`%s` as PostgreSQL itself writes places for values."""
    first, *others = sql.split("%s")
    return (first + "".join(f"${number}{each}" for number, each in enumerate(others, 1))).replace("%%", "%").encode()
