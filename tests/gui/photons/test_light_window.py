"""The light of selections in the window: drawn by hand, counted as the sliders say, saved, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.frames.views import viewport
from ifuview.app.photons import lists as photons
from ifuview.engine.photons.counting import aperture
from ifuview.gui.shell.shell import Shell
from tests.app.photons.photon_files import write_files
from tests.gui.hands import Hands, Spot
from tests.gui.windows import TIMEOUT, settle, window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_files(tmp_path_factory.mktemp("photons"), 2.0, calibrated=True).photons


@pytest.fixture
def shell(qtbot: QtBot, path: str) -> Iterator[Shell]:
    with window(qtbot, path) as found:
        qtbot.waitUntil(lambda: found.store.session.slot() is not None, timeout=TIMEOUT)
        settle(qtbot, found)
        found.controller.handle(want.ShowPhotons("counts"))
        found.controller.handle(want.ShowDock("light"))
        settle(qtbot, found)
        qtbot.waitUntil(lambda: found.window.docks["light"].widget() is not None, timeout=TIMEOUT)
        yield found


def place(shell: Shell, x: float, y: float) -> QPoint:
    canvas = shell.window.canvas
    key = shell.store.session.current
    sx, sy = viewport.to_screen(canvas.view_of(key), canvas.tile_size(key), x, y)
    ratio = canvas.devicePixelRatioF()
    return QPoint(round(float(sx) / ratio), round(float(sy) / ratio))


def drag(shell: Shell, start: tuple[float, float], stop: tuple[float, float]) -> None:
    canvas = shell.window.canvas
    QTest.mousePress(canvas, LEFT, pos=place(shell, *start))
    for f in (0.4, 0.8, 1.0):
        QTest.mouseMove(canvas, place(shell, *(a + f * (b - a) for a, b in zip(start, stop))))
    QTest.mouseRelease(canvas, LEFT, pos=place(shell, *stop))


def known(qtbot: QtBot, shell: Shell) -> Any:
    """The light of what is selected now."""
    from ifuview.app.photons import light

    def there() -> bool:
        session = shell.store.session
        return session.lights is not None and session.lights.request == light.request(session)

    qtbot.waitUntil(there, timeout=TIMEOUT)
    settle(qtbot, shell)
    return shell.store.session.lights


def test_a_pixel_and_drawn_regions_follow_the_sliders(qtbot: QtBot, shell: Shell, path: str, tmp_path: Path) -> None:
    session = lambda: shell.store.session  # noqa: E731
    QTest.mouseClick(shell.window.canvas, LEFT, pos=place(shell, 12, 11))
    assert len(known(qtbot, shell).found) == 1
    shell.window.actions_by_name["draw-circle"].trigger()
    assert session().drawing == "circle"
    drag(shell, (8, 20), (11, 20))
    shell.window.actions_by_name["draw-box"].trigger()
    drag(shell, (15, 3), (20, 6))
    lights = known(qtbot, shell)
    assert [one.picked.label.split(" ")[0] for one in lights.found] == ["pixel", "1:", "2:"]
    assert len({one.picked.color for one in lights.found}) == 3
    assert all(one.curve is not None and one.notes == () for one in lights.found)

    # other photons count: the pixel's light is the truth of the file
    key = session().current
    cut = photons.cut(session().slot().photons.source.info, start=0.5, stop=1.5, wave=(900, 1200))
    for final in (False, True):
        shell.controller.handle(want.SetPhotonCut(key, cut, final))
    lights = known(qtbot, shell)
    own = photons.open_source(path, index=False)
    expected = photons.light_curve(own, aperture.pixel(own.info.beammap, 12, 11), cut, width=0.01)
    np.testing.assert_array_equal(lights.found[0].curve.counts, expected.counts)
    dock = shell.window.docks["light"].widget()
    assert "pixel 12,11" in dock.legend.text()

    # selections are changed by hand; the light with them
    shell.window.actions_by_name["remove-region"].trigger()  # the box was drawn last
    assert [r.shape for r in session().slot().regions] == ["circle"]
    assert len(known(qtbot, shell).found) == 2
    QTest.mouseClick(shell.window.canvas, LEFT, pos=place(shell, 13, 11))
    assert known(qtbot, shell).found[0].picked.pixel == (13, 11)
    shell.window.actions_by_name["fiber-none"].trigger()
    assert session().drawing == ""

    # saved and printed
    shell.controller.handle(want.SaveLight("spectrum", str(tmp_path / "s.ecsv")))
    shell.controller.handle(want.ExportReport(str(tmp_path / "report.png")))
    settle(qtbot, shell)
    table = Table.read(tmp_path / "s-x13y11.ecsv")
    assert table["counts"].sum() == known(qtbot, shell).found[0].spectrum.counts.sum()
    assert (tmp_path / "report.png").stat().st_size > 10_000


def test_another_frame_has_selections_of_its_own(qtbot: QtBot, shell: Shell) -> None:
    shell.controller.handle(want.DrawRegions("box"))
    drag(shell, (15, 3), (20, 6))
    known(qtbot, shell)
    first = shell.store.session.current
    shell.controller.handle(want.CopyPhotons())
    settle(qtbot, shell)
    second = shell.store.session.current
    assert second != first
    assert known(qtbot, shell).request.key == second
    shell.controller.handle(want.SetRegions(second, ()))
    shell.controller.handle(want.PickPoint(second, 12, 11))
    assert len(known(qtbot, shell).found) == 1
    shell.controller.handle(want.SelectSlot(first))
    assert known(qtbot, shell).request.key == first
    assert len(known(qtbot, shell).found) == 2


@pytest.mark.screen
def test_by_hand(qtbot: QtBot, shell: Shell, hands: Hands) -> None:
    canvas = shell.window.canvas

    def at(x: float, y: float) -> Spot:
        def spot() -> tuple[float, float]:
            found = place(shell, x, y)
            return found.x(), found.y()

        return spot

    def regions() -> Any:
        return shell.store.session.slot().regions

    shell.window.activateWindow()
    hands.click_at(canvas, at(3, 3))
    hands.key("c", "Shift_L")
    hands.drag(canvas, at(8, 20), at(11, 20))
    assert regions()[0].size[0] == pytest.approx(3, abs=0.3)
    hands.drag(canvas, at(8, 20), at(11, 16))  # moved
    assert regions()[0].points[0] == pytest.approx((11, 16), abs=0.3)
    radius = regions()[0].size[0]
    hands.drag(canvas, at(11 + radius, 16), at(16, 16))  # by its handle
    assert regions()[0].size[0] == pytest.approx(5, abs=0.4)
    hands.key("b", "Shift_L")
    hands.drag(canvas, at(15, 3), at(20, 6))
    assert len(regions()) == 2
    assert len(known(qtbot, shell).found) == 3
    hands.key("Delete")
    assert len(regions()) == 1
    hands.key("Escape")
    assert shell.store.session.drawing == ""
    view = shell.store.session.slot().view
    hands.drag(canvas, at(11, 16), at(14, 16))  # pans again
    assert shell.store.session.slot().view != view
    assert len(regions()) == 1
