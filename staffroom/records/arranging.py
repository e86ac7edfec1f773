"""The part of the ledger's tables that Django's schema has no words for, for each database its own.

PostgreSQL numbers entries from a sequence and divides its largest tables by month (`months`). SQLite keeps mentions and keys in their
index alone (WITHOUT ROWID): a third of the pages to write.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from staffroom.records import months
from staffroom.records.ordering import SEQUENCE


def arrange(editor: BaseDatabaseSchemaEditor) -> None:
    """Run after the tables were made, and before there is anything in them."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"CREATE SEQUENCE {SEQUENCE} MINVALUE 0 MAXVALUE 4095 CYCLE")
        with editor.connection.cursor() as cursor:
            for table, column in months.DIVIDED.items():
                months.divide(cursor, table, column)
        months.make_ahead(editor.connection.alias)
    elif editor.connection.vendor == "sqlite":
        editor.execute("DROP TABLE records_mention")
        editor.execute(
            "CREATE TABLE records_mention (target bigint NOT NULL, entry bigint NOT NULL, PRIMARY KEY (target, entry)) WITHOUT ROWID"
        )
        editor.execute("DROP TABLE records_statementkey")
        editor.execute(
            "CREATE TABLE records_statementkey (key char(32) NOT NULL PRIMARY KEY, entry bigint NOT NULL) WITHOUT ROWID"
        )


def undo(editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(f"DROP SEQUENCE {SEQUENCE}")
