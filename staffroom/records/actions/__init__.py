"""The deeds of the ledgers: append, void, import, price. Everything that other rooms may call is named here."""

from staffroom.records.actions.activities import (
    Presence,
    change_activity,
    enter_attendance,
    make_activity,
    read_attendance,
)
from staffroom.records.actions.costs import (
    Ingredient,
    add_price,
    end_price,
    price_time,
    record_cost,
    record_costs,
    void_cost,
)
from staffroom.records.actions.imports import (
    Preview,
    content_of,
    drop_import,
    forget_old_previews,
    import_file,
    keep_file,
    map_columns,
    preview,
    run_import,
    start_import,
)
from staffroom.records.actions.outcomes import (
    Counts,
    Result,
    make_instrument,
    record_outcome,
    record_outcomes,
    void_outcome,
)
from staffroom.records.actions.statements import (
    Deed,
    record,
    record_statements,
    void_statement,
)

__all__ = [
    "Counts",
    "Deed",
    "Ingredient",
    "Presence",
    "Preview",
    "Result",
    "add_price",
    "change_activity",
    "content_of",
    "drop_import",
    "end_price",
    "enter_attendance",
    "forget_old_previews",
    "import_file",
    "keep_file",
    "make_activity",
    "make_instrument",
    "map_columns",
    "preview",
    "price_time",
    "read_attendance",
    "record",
    "record_cost",
    "record_costs",
    "record_outcome",
    "record_outcomes",
    "record_statements",
    "run_import",
    "start_import",
    "void_cost",
    "void_outcome",
    "void_statement",
]
