"""The built wheel, installed into an empty environment without npm or the sources, starts and shows a page with its styles."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosting.conftest import Place

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".uv" / "bin" / "uv"


@pytest.mark.slow
@pytest.mark.skipif(not UV.exists(), reason="tools/setup has not brought uv")
def test_the_wheel_installs_and_starts_where_no_npm_is(place: Place, tmp_path: Path) -> None:
    def uv(*words: str) -> None:
        done = subprocess.run([UV, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    uv("build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(tmp_path / "dist"))
    [wheel] = (tmp_path / "dist").glob("*.whl")
    uv("venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv"))
    uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(tmp_path / "venv"), str(wheel))

    place.environment = {
        name: value
        for name, value in place.environment.items()
        if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    }
    place.environment["PATH"] = f"{tmp_path / 'venv' / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
    python = str(tmp_path / "venv" / "bin" / "python")
    log = (place.folder.parent / "data-0.log").open("w")
    start = subprocess.Popen(
        [python, "-m", "staffroom", "start"],
        env=place.environment, stdout=log, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
    )  # fmt: skip
    place.started.append(start)
    place.await_answer(300)
    status, page = place.get("/accounts/login/")
    assert status == 200
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style, page
    assert place.get(style[1])[0] == 200
    where = subprocess.run(
        [python, "-c", "import staffroom; print(staffroom.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert str(tmp_path) in where, "it is the installed program, not the checkout"
