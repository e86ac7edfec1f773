"""The connection to PostgreSQL; Django looks for its class in a module of this name."""

from __future__ import annotations

import select
from collections.abc import Sequence

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from psycopg.pq import TransactionStatus

from staffroom.people.postgresql.journeys import Journeys, Rows, Told


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but a kept connection is not asked a question before each request to learn whether anybody answers."""

    def init_connection_state(self) -> None:
        """Questions that are read and planned once (`people.rows.read_rows`) are not planned again for each value."""
        super().init_connection_state()
        self.journeys = Journeys(self.connection)
        with self.connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")

    def go(self, told: Sequence[Told]) -> list[Rows]:
        """Ask several questions, or say several commands, in one journey (`journeys`)."""
        self.close_if_health_check_failed()
        if self.connection is None:
            self.ensure_connection()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            return self.journeys.go(told)

    def _set_autocommit(self, autocommit: bool) -> None:
        """Between transactions it is only a note that psycopg makes for itself, for which it need not wait in a loop."""
        raw = self.connection
        if raw.pgconn.transaction_status == TransactionStatus.IDLE:
            raw._autocommit = autocommit
        else:
            super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _commit(self) -> None:
        if self.connection is not None:
            with debug_transaction(self, "COMMIT"), self.wrap_database_errors:
                self.journeys.commit()

    def is_usable(self) -> bool:
        """Whether the other end is still there, as far as this end has heard.

        Nothing is being asked, so nothing is to be heard: what there is to read is a farewell, or the end of the line.
        """
        raw = self.connection
        if raw is None or raw.closed:
            return False
        heard = select.poll()
        heard.register(raw.fileno(), select.POLLIN)
        return not heard.poll(0)
