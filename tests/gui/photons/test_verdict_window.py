"""A photon list with faults in the window: what is wrong is named with nothing pressed, one action shows the light."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.io.photons.lists.write import write_photons
from ifuview.model.photons.lists import PhotonCut
from ifuview.model.verdict import VERDICT_COLORS, VerdictState
from ifuview.simulate.photons import faults
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene
from tests.gui.windows import TIMEOUT, settle, window

OUT, HOT = (6, 5), (12, 20)  # x, y


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    array = make_array(dead=0, cold=0, hot=0, unsolved=0, seed=2)
    photons = simulate_photons(array=array, duration=5.0, scene=Scene(sky=45.0), seed=1)[0]
    found = tmp_path_factory.mktemp("spoiled") / "spoiled.h5"
    write_photons(str(found), faults.lit(faults.timed_out(photons, [OUT], 1.0, 3.0), [HOT], 500.0))
    return str(found)


def test_what_is_wrong_is_named_and_its_light_curve_is_one_action_away(qtbot: QtBot, path: str) -> None:
    with window(qtbot, path, judges=True) as shell:
        bar, session = shell.window.verdict, lambda: shell.store.session

        def found() -> bool:
            frame = session().slot().photons
            judged = None if frame is None else frame.judged
            return judged is not None and judged.found is not None and judged.about(frame.stack)

        qtbot.waitUntil(found, timeout=TIMEOUT)
        settle(qtbot, shell)

        # nothing pressed
        assert bar.isVisible()
        assert "1 resonator times out" in bar.headline.text() and "1 hot pixel" in bar.headline.text()
        assert VERDICT_COLORS[VerdictState.WRONG] in bar.styleSheet()
        picture = shell.window.canvas.view.picture(session().current)
        assert {tuple(p) for m in picture.overlay.marks for p in zip(m.x, m.y)} == {OUT, HOT}

        # one key: the pixel, its photons, its light curve, the evidence
        qtbot.keyClick(shell.window.canvas, Qt.Key.Key_BracketRight)
        qtbot.waitUntil(lambda: session().lights is not None, timeout=TIMEOUT)
        settle(qtbot, shell)
        assert session().lights.found[0].picked.pixel == OUT
        assert session().slot().photons.cut == PhotonCut(exclude=())
        dock = shell.window.docks["photon-problems"].widget()
        assert dock.isVisible() and dock.tree.topLevelItemCount() == 2
        assert dock.plot.figure.title == "Light curve" and "stop" in dock.text.text()
        assert bar.headline.text().endswith("sigma") and bar.place.text() == "problem 1/2"

        # the list leads to the other one, the strip to the image without flagged pixels
        qtbot.keyClick(dock.tree, Qt.Key.Key_Down)
        settle(qtbot, shell)
        assert (session().selection.x, session().selection.y) == HOT
        assert dock.tree.indexOfTopLevelItem(dock.tree.currentItem()) == 1
        shell.controller.handle(want.ShowCell("image"))
        settle(qtbot, shell)
        assert session().slot().photons.cut == PhotonCut()

        # pixels that are searched and left out are known from then on: the list is judged again
        shell.controller.handle(want.FindBadPixels())
        qtbot.waitUntil(lambda: bool(session().slot().photons.stack) and found(), timeout=TIMEOUT)
        settle(qtbot, shell)
        assert bar.headline.text().endswith("wrong: 1 resonator times out")
        assert "known and left out: 1 hot pixel" in bar.detail.text()
