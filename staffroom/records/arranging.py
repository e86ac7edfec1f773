"""The part of the ledger's tables that Django's schema has no words for, for each database its own.

PostgreSQL numbers entries from a sequence. SQLite keeps mentions in their index alone (WITHOUT ROWID): a third of the pages to write.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from staffroom.records.ordering import SEQUENCE


def arrange(editor: BaseDatabaseSchemaEditor) -> None:
    """Run after the tables were made, and before there is anything in them."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"CREATE SEQUENCE {SEQUENCE} MINVALUE 0 MAXVALUE 4095 CYCLE")
    elif editor.connection.vendor == "sqlite":
        editor.execute("DROP TABLE records_mention")
        editor.execute(
            "CREATE TABLE records_mention (target bigint NOT NULL, entry bigint NOT NULL, PRIMARY KEY (target, entry)) WITHOUT ROWID"
        )


def undo(editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(f"DROP SEQUENCE {SEQUENCE}")
