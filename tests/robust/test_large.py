"""Very many frames and very large images cost what is looked at of them, in time and in memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import follow
from ifuview.app.frames import memory
from ifuview.app.frames.look import Reduction, Smooth, ViewState
from ifuview.app.frames.state import MemoryBounds
from ifuview.app.frames.tasks import ReduceCopies
from ifuview.app.frames.views import pyramid
from ifuview.app.frames.views.raster import gather
from ifuview.app.frames.views.viewport import fit_view
from ifuview.app.open_tasks import frames_opened
from ifuview.app.opening import open_images
from ifuview.app.session import Session
from ifuview.app.spectra.views import graphs
from ifuview.gui.frames._frame_list import FrameList
from ifuview.memory import MIB
from ifuview.model.pixels import Pixels
from tests.gui.windows import settle, window
from tests.io.fitsbytes import image, write

MANY = 200


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of very many extensions."""
    rng = np.random.default_rng(3)
    hdus = [image(rng.normal(5, 1, (20, 30)).astype("f4"), False, EXTNAME=f"E{n}") for n in range(MANY)]
    return str(write(tmp_path_factory.mktemp("many") / "many.fits", image(None), *hdus))


def test_opening_many_frames_looks_at_each_a_few_times_only(many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(memory, "_root", lambda array: looked.append(0) or (id(array), 0))
    found = open_images(many, every=True)
    session = frames_opened(Session(memory=MemoryBounds(4096, 8192)), found)
    tasks = follow.after(Session(), session)
    assert len(session.slots) == MANY
    assert len(looked) < 10 * MANY
    copies = [task for task in tasks if isinstance(task, ReduceCopies)]
    assert [task.frame for task in copies] == [session.current]
    other = session.showing(session.slots[7].key)
    assert [task.frame for task in follow.after(session, other)] == [session.slots[7].key]


def test_what_a_file_says_of_itself_is_said_once(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.fits", image(None), *[image(np.ones((4, 4), "f4"), False)] * 5, b"rest".ljust(2880))
    session = frames_opened(Session(), open_images(str(path), every=True))
    assert len(session.slots) == 5
    assert len([m for m in session.messages if "no FITS extension" in m.text]) == 1


def test_only_pictures_of_frames_in_view_are_made(qtbot: QtBot, many: str) -> None:
    with window(qtbot, "-multiframe", many) as shell:
        settle(qtbot, shell)
        rows = shell.window.findChild(FrameList)
        qtbot.waitUntil(lambda: not rows._timer.isActive())
        assert 0 < len(rows._pictures) < MANY // 4
        assert rows.count() == MANY


@pytest.mark.parametrize("kind", [Reduction.MEAN, Reduction.EXTREME])
def test_a_wide_image_is_reduced_in_pieces_to_the_same(kind: Reduction, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    values, bits = rng.normal(0, 1, (301, 1501)).astype("f4"), rng.integers(0, 9, (301, 1501)).astype("u1")
    values[5, 3:9] = np.nan
    made = []
    for columns in (1 << 16, 256):
        monkeypatch.setattr(pyramid, "BLOCK_COLUMNS", columns)
        made.append(pyramid.build_pyramid(Pixels(values), kind, mask=Pixels(bits)))
    for one, other in zip(made[0].levels + made[0].mask.levels, made[1].levels + made[1].mask.levels, strict=True):
        np.testing.assert_array_equal(one, other)


def test_smoothing_of_a_huge_image_without_reduced_copies_takes_little() -> None:
    row = np.sin(np.arange(36_000, dtype="f4") / 3000)
    pixels = Pixels(np.broadcast_to(row, (36_000, 36_000)))
    tracemalloc.start()
    begun = time.process_time()
    view = fit_view((36_000, 36_000), (900, 900), ViewState())
    tile = gather(pixels, None, view, (900, 900), smooth=Smooth.GAUSSIAN, radius=20.0)
    assert tile is not None
    taken, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * MIB
    assert taken < 3.0
    middle = tile.values[450]
    assert abs(float(middle.max()) - 1) < 0.01 and abs(float(middle.min()) + 1) < 0.01


def test_a_very_long_row_is_drawn_in_part_with_the_pixel_under_the_cursor() -> None:
    row = np.zeros((1, 1_000_000), "f4")
    row[0, 123_457] = 7
    found = graphs._through(type("Slot", (), {"image": _Image(row), "plane": ()})(), 123_457, 0)
    assert found is not None
    curve = found.row.curves[0]
    assert curve.x.size <= graphs.ROW_READS
    assert curve.y[np.flatnonzero(curve.x == 123_457)] == 7


class _Image:
    """What a cut asks of an image."""

    def __init__(self, values: np.ndarray) -> None:
        self.pixels, self.shape, self.unit = Pixels(values), values.shape, ""
