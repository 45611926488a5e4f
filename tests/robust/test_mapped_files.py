"""A large file that another program cuts off or writes over while it is shown ends nothing, and the frame says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app.session import Level
from ifuview.io import source
from tests.gui.windows import settle, window
from tests.io.fitsbytes import BLOCK, image, write

CUT_WHILE_READ = """
import os, sys, threading
from ifuview.io import source
source.IN_MEMORY = 0
from ifuview.io.fits.fast import pixels, read_fits
from ifuview.io.archive.store import mapped
path = sys.argv[1]
shown, archive = pixels(read_fits(path).hdus[0]), mapped(path)
assert shown.value(799, 899) == 1
rounds = [lambda: [shown.rows(0, 800) for _ in range(30)] for _ in range(3)]
threads = [threading.Thread(target=run) for run in rounds]
for thread in threads: thread.start()
os.truncate(path, int(sys.argv[2]))
for thread in threads: thread.join()
print(shown.value(0, 0), shown.value(799, 899), bytes(archive[-4:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the signal is caught on Linux")
@pytest.mark.parametrize("left", [0, 2 * BLOCK])
def test_a_map_of_a_file_that_is_cut_off_reads_as_zeros(tmp_path: Path, left: int) -> None:
    path = write(tmp_path / "large.fits", image(np.ones((800, 900), "f4")))
    done = subprocess.run(
        [sys.executable, "-c", CUT_WHILE_READ, str(path), str(left)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["1.0" if left else "0.0", "0.0"]


def test_a_fault_elsewhere_still_ends_the_process(tmp_path: Path) -> None:
    path = write(tmp_path / "large.fits", image(np.ones((8, 9), "f4")))
    words = "import os, signal, sys; from ifuview.io.archive.store import mapped; kept = mapped(sys.argv[1])"
    kill = f"{words}; os.kill(os.getpid(), signal.SIGBUS); import time; time.sleep(5)"
    assert subprocess.run([sys.executable, "-c", kill, str(path)], timeout=60).returncode == -7


def test_the_frame_says_that_its_file_changed_until_it_is_reloaded(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "IN_MEMORY", 0)
    path = write(tmp_path / "shown.fits", image(np.random.default_rng(1).normal(9, 1, (300, 400)).astype("f4")))
    with window(qtbot, str(path)) as shell:
        session = lambda: shell.store.session  # noqa: E731
        shell.files.look()
        assert not session().slots[0].stale
        os.truncate(path, 2 * BLOCK)
        shell.files.look()
        shell.files.look()
        told = [m for m in session().messages if "the file changed: reload" in m.text]
        assert [m.level for m in told] == [Level.ERROR]
        shell.window.canvas.repaint()
        shell.presenter.hover(session().current, 350, 290)
        write(path, image(np.full((30, 40), 7, "f4")))
        shell.window.menus.commands.window.actions_by_name["reload"].trigger()
        settle(qtbot, shell)
        assert not session().slots[0].stale
        assert session().slots[0].image.pixels.value(3, 3) == 7
