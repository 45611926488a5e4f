"""Writers that are killed, and writers without room: the older output stays, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = [sys.executable, "-m", "tests.robust.writers"]
SMALL_DISK = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"'


def found(command: list[str], config: Path) -> list[str]:
    known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(config)}
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are processes that are forked")
def test_a_writer_killed_at_any_moment_leaves_a_whole_output(tmp_path: Path) -> None:
    assert found([*MODULE, "kill", "20261129", "14"], tmp_path) == []


def test_a_disk_without_room_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    space = ["unshare", "--user", "--map-root-user", "--mount"]
    may = shutil.which("unshare") and subprocess.run([*space, "sh", "-c", SMALL_DISK, "sh", str(tmp_path), "true"],
                                                     capture_output=True)  # fmt: skip
    if not may or may.returncode:
        pytest.skip("no disk of 1 MB: this user may not mount one, not even in a namespace")
    place = tmp_path / "disk"
    place.mkdir()
    assert found([*space, "sh", "-c", SMALL_DISK, "sh", str(place), *MODULE, "full", str(place)], tmp_path) == []
