"""The published reader of photon lists, run in a process of its own; what asks for it is skipped where it is not.

It lives in the extra `peer` of the project. As it needs old releases of other packages, it may be installed elsewhere:
IFUVIEW_PEER_PYTHON names the interpreter that has it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

PYTHON = os.environ.get("IFUVIEW_PEER_PYTHON", sys.executable)
FRAME = "import json, sys\nout = {{}}\n{code}\nprint()\nprint(json.dumps(out))\n"


@cache
def _is_there() -> bool:
    """Whether the reader can be imported at all."""
    return _run("import mkidpipeline.photontable, mkidpipeline.pipeline", ()).returncode == 0


def published_reader(code: str, *paths: Path) -> dict[str, Any]:
    """What a piece of code puts into `out`; `sys.argv` has the paths. Skips where there is no published reader."""
    if not _is_there():
        pytest.skip("mkidpipeline is not installed")
    done = _run(dedent(code), paths)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _run(code: str, paths: tuple[Path, ...]) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PYTHONWARNINGS": "ignore"}
    command = [PYTHON, "-c", FRAME.format(code=code), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)
