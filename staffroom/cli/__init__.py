"""The command ``staffroom``. Its words are read here; what they do is imported when it is done, so that --help is quick.

Exit codes: 0 done, 1 it did not work, 2 it was asked for in a way that cannot be done.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from staffroom import __version__
from staffroom.options import BadOption


class Mistake(Exception):
    """What was asked for cannot be done; the message says why and what to do. Shown without a trace."""


class Failure(Exception):
    """It was right to ask, but it did not work. Shown without a trace."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words on the command line say."""
    told = _parser().parse_args(arguments)
    if told.data:
        os.environ["STAFFROOM_DATA"] = os.path.abspath(os.path.expanduser(told.data))
    module, function = told.does.split(":")
    try:
        return int(getattr(import_module(f"staffroom.cli.{module}"), function)(told) or 0)
    except (BadOption, Mistake) as mistake:
        return _complain(mistake, 2)
    except Failure as failure:
        return _complain(failure, 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        sentence = _known(error)
        if not sentence:
            raise
        return _complain(sentence, 1)


def _complain(sentence: object, code: int) -> int:
    print(f"staffroom: {sentence}", file=sys.stderr)
    return code


def _known(error: Exception) -> str:
    """A sentence for errors that come from outside: the disk, the database, what somebody wrote into a file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
    from django.db import OperationalError, ProgrammingError

    from staffroom.logs import masked

    match error:
        case ValidationError():
            return "; ".join(error.messages)
        case PermissionDenied():
            return str(error) or "that person may not do this"
        case OperationalError():
            return masked(f"the database does not answer as it should: {str(error).splitlines()[0]}")
        case ProgrammingError():
            return "the database has not been prepared for this version; run `staffroom start` or `staffroom doctor`"
        case ImproperlyConfigured():
            return masked(str(error).splitlines()[0])
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="staffroom",
        description="Where teachers see teaching, rehearse, try, share, and find out what works.",
        epilog="Options can also be set as STAFFROOM_… variables or in staffroom.toml; `staffroom doctor` lists them.",
    )
    parser.add_argument("--version", action="version", version=f"staffroom {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _serving(commands)
    _keeping(commands)
    _moving(commands)
    _studying(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, does: str, text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text or argparse.SUPPRESS, description=text)
    command.add_argument("--data", metavar="FOLDER", help="the data folder (default: STAFFROOM_DATA, or ~/.staffroom)")
    command.set_defaults(does=does)
    return command


def _serving(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    start = _command(commands, "start", "running:start", "Serve the site, with a worker beside it, until Ctrl-C.")
    _address(start)
    start.add_argument("--no-worker", action="store_true", help="only the web server; workers run elsewhere")
    demo = _command(commands, "demo", "demo:demo", "Make a school district up, and serve it.")
    _address(demo)
    demo.add_argument("--teachers", type=int, default=420, metavar="N", help="how many teachers (default: 420)")
    demo.add_argument("--seed", type=int, default=2, metavar="S", help="another seed makes another district")
    demo.add_argument("--fresh", action="store_true", help="remove what an earlier demo left, and make it anew")
    demo.add_argument("--no-serve", action="store_true", help="only make the data")
    worker = _command(commands, "worker", "running:worker", "Do the jobs that wait, until stopped.")
    worker.add_argument("--jobs", type=int, metavar="N", help="how many at a time (default: the option worker_jobs)")
    web = commands.add_parser("web")
    web.add_argument("--data")
    web.add_argument("--socket", type=int, required=True)
    web.set_defaults(does="running:web")
    prepare = _command(commands, "prepare", "preparing:prepare", "Bring the database and static files up to date.")
    prepare.add_argument("--quiet", action="store_true", help="say nothing when it works")
    prepare.add_argument("--no-static", action="store_true", help="only the database: for hosts that serve no pages")


def _address(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", help="the address to listen on (default: the option host)")
    command.add_argument("--port", type=int, help="the port to listen on (default: the option port)")


def _keeping(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = _command(
        commands, "doctor", "doctor:doctor", "Show the options and where they come from, and check everything."
    )
    doctor.add_argument("--json", action="store_true", help="for machines")
    backup = _command(
        commands, "backup", "backup:backup", "Write database and files into one archive, while the site runs."
    )
    backup.add_argument("file", metavar="FILE", help="the archive to make, such as staffroom-2026-11-22.zip")
    backup.add_argument(
        "--with-secret", action="store_true", help="also the signing key and staffroom.toml: keep it safe"
    )
    restore = _command(commands, "restore", "backup:restore", "Bring a backup back, into an empty place.")
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--check-only", action="store_true", help="only check that the archive is whole")
    first = _command(commands, "create-administrator", "moving:create_administrator", "Invite the first administrator.")
    first.add_argument("email", metavar="EMAIL")
    first.add_argument("--district", metavar="NAME", help="the district to found, or to be administered")


def _moving(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    take = commands.add_parser("import", help="Take in rosters, outcomes, a framework or statements.")
    kinds = take.add_subparsers(title="what", metavar="WHAT", required=True)
    for name, text in (
        ("roster", "an OneRoster 1.1 or 1.2 zip, or a plain CSV of people"),
        ("outcomes", "a CSV of results of an instrument"),
        ("framework", "a framework of teaching: CASE JSON or CSV"),
    ):
        kind = _command(kinds, name, f"moving:import_{name}", text)
        kind.add_argument("file", metavar="FILE")
        kind.add_argument("--district", metavar="NAME", help="the district it is for (default: the only one there is)")
        kind.add_argument("--by", metavar="EMAIL", help="the administrator who does it (default: the first one)")
        if name == "roster":
            kind.add_argument("--may-end-most", action="store_true", help="let it end more than half of all roles")
        if name == "outcomes":
            kind.add_argument(
                "--instrument", metavar="NAME", required=True, help="the instrument that the results are of"
            )
        if name == "framework":
            kind.add_argument("--title", default="", help="the framework's title, for CSV")
            kind.add_argument("--publish", action="store_true", help="let people use it at once")
    _statements(kinds)
    give = commands.add_parser("export", help="Write everything about a person or a district into one archive.")
    kinds = give.add_subparsers(title="what", metavar="WHAT", required=True)
    person = _command(kinds, "person", "moving:export_person", "everything that is stored about one person")
    person.add_argument(
        "person",
        metavar="PERSON",
        help="an email address, the roster's number, or the key in their page's address",
    )
    person.add_argument("file", metavar="FILE")
    district = _command(kinds, "district", "moving:export_district", "everything that is stored about a district")
    district.add_argument("district", metavar="NAME")
    district.add_argument("file", metavar="FILE")


def _statements(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    kind = _command(
        kinds, "statements", "statements:import_statements", "xAPI statements, one a line (.jsonl or .jsonl.gz)"
    )
    kind.add_argument("file", metavar="FILE")
    kind.add_argument("--tool", metavar="NAME", required=True, help="the tool whose statements they are")
    kind.add_argument(
        "--organization", metavar="NAME", help="whose tool it is, when more than one has a tool of that name"
    )
    kind.add_argument("--add-tool", action="store_true", help="add the tool to the organization if there is none yet")
    kind.add_argument(
        "--report", metavar="FILE", help="where to say which lines were not taken (default: FILE.problems.txt)"
    )
    kind.add_argument("--quiet", action="store_true", help="tell no progress")


def _studying(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Questions about plain files. They need neither server nor database, so they take no --data."""
    study = commands.add_parser("study", help="Find out what works, from plain files.")
    deeds = study.add_subparsers(title="what", metavar="WHAT", required=True)
    for name, text in (
        ("run", "answer the question that a TOML file asks, from CSV or Parquet files"),
        ("check", "say what `run` would do: estimator, reasons, counts, problems; no estimate"),
        ("init", "write a commented TOML file that fits a file's columns"),
        ("pool", "put the evidence bundles of several organizations together"),
        ("power", "say which effect a design could see, and how many teachers it would need"),
    ):
        deed = deeds.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        deed.set_defaults(does=f"study:{name}", data=None)
        {"run": _study_run, "check": _study_check, "init": _study_init, "pool": _study_pool, "power": _study_power}[
            name
        ](deed)


def _study_run(deed: argparse.ArgumentParser) -> None:
    deed.add_argument("file", metavar="STUDY.toml")
    deed.add_argument("--json", action="store_true", help="the whole result as JSON")
    deed.add_argument("--out", metavar="DIR", help="a new folder for result.json, tables, pictures and a report")
    deed.add_argument(
        "--bundle", metavar="FILE", help="also write an evidence bundle that other organizations can pool"
    )
    deed.add_argument(
        "--key", metavar="FILE", help="the private key (PEM, Ed25519) that signs the bundle; made if missing"
    )


def _study_check(deed: argparse.ArgumentParser) -> None:
    deed.add_argument("file", metavar="STUDY.toml")
    deed.add_argument("--json", action="store_true", help="for machines")


def _study_init(deed: argparse.ArgumentParser) -> None:
    deed.add_argument("file", metavar="FILE", help="CSV or Parquet with the students' results")
    deed.add_argument("--to", metavar="STUDY.toml", help="where to write it (default: beside the file)")


def _study_pool(deed: argparse.ArgumentParser) -> None:
    deed.add_argument("bundles", metavar="BUNDLE", nargs="+")
    deed.add_argument("--json", action="store_true", help="for machines")


def _study_power(deed: argparse.ArgumentParser) -> None:
    deed.add_argument("--from", dest="study", metavar="STUDY.toml", help="take the numbers from a study's files")
    deed.add_argument("--design", choices=("lottery", "phase-in", "comparison"), default="lottery")
    deed.add_argument(
        "--unit", choices=("teacher", "school"), default="teacher", help="who is drawn or takes part as a whole"
    )
    deed.add_argument("--teachers", type=int, metavar="N", help="how many teachers in all")
    deed.add_argument("--schools", type=int, metavar="N", help="in how many schools")
    deed.add_argument("--students", type=int, default=25, metavar="N", help="of each teacher in a term (default: 25)")
    deed.add_argument("--terms", type=int, default=8, metavar="N", help="with outcomes (default: 8)")
    deed.add_argument(
        "--icc", type=float, default=0.15, metavar="R", help="share of variance between teachers (default: 0.15)"
    )
    deed.add_argument("--share", type=float, default=0.5, metavar="S", help="of teachers who take part (default: 0.5)")
    deed.add_argument(
        "--explained", type=float, default=0.0, metavar="R2", help="share of variance that covariates explain"
    )
    deed.add_argument(
        "--shock",
        type=float,
        default=0.01,
        metavar="R",
        help="share of variance of a class in one term (default: 0.01)",
    )
    deed.add_argument(
        "--smallest", type=float, default=0.10, metavar="SD", help="the smallest effect that would matter"
    )
    deed.add_argument("--json", action="store_true", help="for machines")
