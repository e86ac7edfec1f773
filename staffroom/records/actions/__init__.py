"""The deeds of the ledgers: append, void, import, price. Everything that other rooms may call is named here."""

from staffroom.records.actions.costs import (
    Ingredient,
    add_price,
    end_price,
    price_time,
    record_cost,
    record_costs,
    void_cost,
)
from staffroom.records.actions.statements import (
    Deed,
    record,
    record_statements,
    void_statement,
)

__all__ = [
    "Deed",
    "Ingredient",
    "add_price",
    "end_price",
    "price_time",
    "record",
    "record_cost",
    "record_costs",
    "record_statements",
    "void_cost",
    "void_statement",
]
