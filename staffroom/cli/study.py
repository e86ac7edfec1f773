"""`staffroom study …`: what works, from plain files. No server, no database, no settings: nothing of Django is imported."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from staffroom.cli import Mistake
from staffroom.knowing.studies import Refused, running


def run(told: argparse.Namespace) -> int:
    """Answer the question of a TOML file; print it, or write everything into a folder."""
    from staffroom.knowing.studies import printing, telling

    try:
        found = running.run(Path(told.file))
        result = telling.told(found)
        if told.out:
            from staffroom.knowing.studies import writing

            writing.write(found, result, Path(told.out))
        if told.bundle:
            from staffroom.knowing.studies import bundles

            for line in bundles.write(found, Path(told.bundle), key=told.key):
                print(line, file=sys.stderr)
    except Refused as refused:
        raise Mistake(str(refused)) from None
    print(telling.as_text(result) if told.json else printing.printed(result), end="")
    if told.out:
        print(f"Written to {told.out}", file=sys.stderr)
    return 0


def check(told: argparse.Namespace) -> int:
    """Say what would be done with a TOML file, without an estimate."""
    from staffroom.knowing.studies import checking, telling

    try:
        found = checking.checked(Path(told.file))
    except Refused as refused:
        raise Mistake(str(refused)) from None
    print(telling.as_text(found) if told.json else checking.printed(found), end="")
    return 0


def init(told: argparse.Namespace) -> int:
    """Write a commented TOML file that fits a file's columns."""
    from staffroom.knowing.studies import beginning

    try:
        written = beginning.begin(Path(told.file), Path(told.to) if told.to else None)
    except Refused as refused:
        raise Mistake(str(refused)) from None
    print(f"Written to {written}. Look it through, then: staffroom study check {written}")
    return 0


def pool(told: argparse.Namespace) -> int:
    """Put the bundles of several organizations together."""
    from staffroom.knowing.studies import bundles, telling

    try:
        found = bundles.pooled([Path(file) for file in told.bundles])
    except Refused as refused:
        raise Mistake(str(refused)) from None
    print(telling.as_text(found) if told.json else bundles.printed(found), end="")
    return 0


def power(told: argparse.Namespace) -> int:
    """Say which effect a design could see, and how many teachers would be needed."""
    from staffroom.knowing.studies import planning, telling

    try:
        found = planning.planned(vars(told))
    except Refused as refused:
        raise Mistake(str(refused)) from None
    print(telling.as_text(found) if told.json else planning.printed(found), end="")
    return 0
