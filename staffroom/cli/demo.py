"""The demo: a district that was made up, in a data folder of its own."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from pathlib import Path

from staffroom import options
from staffroom.cli import Mistake
from staffroom.cli.preparing import ensure_prepared, set_up

MARK = "demo.json"
CHECKOUT = Path(__file__).resolve().parents[2]


def demo(told: argparse.Namespace) -> int:
    """Build the district once for a data folder, say whom to sign in as, and serve it."""
    if not told.data and "STAFFROOM_DATA" not in os.environ:
        os.environ["STAFFROOM_DATA"] = str(_default_folder())
    folder = options.data_folder()
    if options.get("database_url"):
        raise Mistake("the demo makes its own SQLite database: leave database_url out")
    if told.teachers < 1:
        raise Mistake("--teachers: at least one")
    if told.fresh:
        _remove(folder)
    wanted = {"teachers": told.teachers, "seed": told.seed}
    if not _is_built(folder, wanted):
        _build(folder, wanted)
    _introduce(folder)
    if told.no_serve:
        return 0
    from staffroom.cli.running import start

    told.no_worker = False
    return start(told)


def _default_folder() -> Path:
    is_checkout = (CHECKOUT / "pyproject.toml").exists() and os.access(CHECKOUT, os.W_OK)
    return CHECKOUT / ".demo" if is_checkout else Path("~/.staffroom-demo").expanduser()


def _remove(folder: Path) -> None:
    """Remove an earlier demo, and nothing that is not one."""
    if not folder.exists():
        return
    if not (folder / MARK).exists():
        raise Mistake(f"{folder} does not hold a demo, so --fresh does not remove it")
    shutil.rmtree(folder)


def _is_built(folder: Path, wanted: dict[str, int]) -> bool:
    if not (folder / MARK).exists():
        if (folder / "staffroom.sqlite3").exists():
            raise Mistake(f"{folder} holds a database that is not a demo; choose another folder with --data")
        return False
    built = json.loads((folder / MARK).read_text())
    if built.get("state") == "building":
        shutil.rmtree(folder)  # it was interrupted
        return False
    if {name: built.get(name) for name in wanted} != wanted:
        print("The demo that is there was made with other numbers; --fresh makes it anew.")
    return True


def _build(folder: Path, wanted: dict[str, int]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / MARK).write_text(json.dumps({"state": "building"}))
    print("Making up a school district. This takes about a minute, once.", flush=True)
    begun = time.monotonic()
    # Drawing lessons needs no database, so it begins before there is one.
    from staffroom.home.demo.filming import Film

    def tell(message: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {message}", flush=True)

    try:
        with Film(wanted["seed"]) as film:
            ensure_prepared()
            set_up()
            from staffroom.home.demo import build

            built = build(teachers=wanted["teachers"], seed=wanted["seed"], film=film, tell=tell)
    except ValueError as error:
        shutil.rmtree(folder)
        raise Mistake(str(error)) from error
    mark = {**wanted, "state": "built", "people": built.people, "password": built.password}
    (folder / MARK).write_text(json.dumps(mark))
    print(f"Done in {time.monotonic() - begun:.0f} seconds.")


def _introduce(folder: Path) -> None:
    """Whom to sign in as."""
    mark = json.loads((folder / MARK).read_text())
    print("\nSign in as one of them:\n")
    for email, *words in mark["people"]:
        print(f"  {email:<34} {', '.join(words)}")
    print(f"\nThe password of all is {mark['password']}\n", flush=True)
