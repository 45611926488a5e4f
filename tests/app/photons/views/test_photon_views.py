"""Flags as colors, and the words of the Photons dock and its read-out."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from ifuview.app.frames.views import colors
from ifuview.app.photons.counting import images as steps
from ifuview.app.photons.state import PhotonFrame
from ifuview.app.photons.units import cut_words
from ifuview.app.photons.views import photons as photon_views
from ifuview.app.photons.views.flags import CMAP, EMPTY, GOOD, HOT, NCLASS, NO_TONE, classes, color_of, legend
from ifuview.model.photons.calibration_stack import MaskStep
from ifuview.model.photons.lists import Beammap, PhotonColumn, PhotonCut, PhotonInfo, PhotonList
from ifuview.model.photons.masks import TimeMask

NAMES = ("beammap.noDacTone", "pixcal.hot", "wavecal.quadratic", "mine")


@pytest.fixture
def beammap() -> Beammap:
    flags = np.array([[0, 0b111, 0b110, 0b0]], np.uint64)
    index = np.array([[0, 1, 2, -1]], np.int32)
    notes = MappingProxyType({"pixcal.hot": "or cold: nobody knows"})
    return Beammap(np.array([10001, 10002, 20001]), index, flags, NAMES, notes)


def frame_of(beammap: Beammap, column: PhotonColumn = PhotonColumn.WAVELENGTH, duration: float = 10.0) -> PhotonFrame:
    none = np.empty(0, np.int32)
    info = PhotonInfo("a.h5", "modern", beammap, 0, 0.0, duration, column)
    source = PhotonList(info, none, none.astype(np.uint32), none.astype(np.float32))
    return PhotonFrame(source, source, name="a")


def test_the_flag_that_explains_most_gives_the_color(beammap):
    np.testing.assert_array_equal(classes(beammap), [[GOOD, NO_TONE, HOT, EMPTY]])


def test_every_class_has_a_color_of_its_own_in_the_table():
    table = colors.table(CMAP)
    shown = [int(table[1 + round((k + 0.5) / NCLASS * 254)]) & 0xFFFFFF for k in range(NCLASS)]
    assert len(set(shown)) == NCLASS
    assert [f"#{c:06x}" for c in shown] == [color_of(k) for k in range(NCLASS)]


def test_the_legend_counts_pixels_and_knows_both_meanings(beammap):
    rows = legend(beammap, ("pixcal.hot", "wavecal.bad"), {"pixcal.hot": "hot"})
    assert [(r.name, r.count, r.excluded) for r in rows] == [
        ("beammap.noDacTone", 1, False),
        ("pixcal.hot", 2, True),
        ("wavecal.quadratic", 2, False),
    ]
    assert rows[1].tip == "hot; or cold: nobody knows"


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (PhotonCut(), ""),
        (PhotonCut(1.0, 3.5), "1.00\u20133.50 s"),
        (PhotonCut(1.0, 1.001), "1.000\u20131.001 s"),
        (PhotonCut(None, 2.0, 900.0), "0.00\u20132.00 s, > 900 nm"),
        (PhotonCut(low=800.0, high=950.5, weighted=True), "800\u2013950.5 nm, weighted"),
    ],
)
def test_a_cut_in_words(beammap, cut, words):
    info = frame_of(beammap).source.info
    assert cut_words(replace(info, weighted=True), cut) == words
    assert "weighted" not in cut_words(info, cut)


def test_a_step_of_time_stays_in_the_file(beammap):
    frame = frame_of(beammap).with_cut(start=9.95, stop=10.0)
    assert steps.moved(frame, 1).stop == 10.0
    assert (steps.moved(frame, -1).start, steps.moved(frame, -1).stop) == (9.9, 9.95)
    assert (steps.moved(frame_of(beammap), 1).start, steps.moved(frame_of(beammap), 1).stop) == (0.0, 0.1)


def test_shared_limits_are_never_empty():
    assert steps.shared_limits([np.zeros((2, 2)), np.full((2, 2), np.nan)]) == (0.0, 1.0)
    few = np.zeros((100, 100))
    few[0, 0] = 2.0
    assert steps.shared_limits([few]) == (0.0, 2.0)


def test_calibrations_that_sliders_cannot_follow_are_named_where_there_is_an_index(beammap):
    class Columns(PhotonList):
        first, latest = np.zeros(1, np.int64), -1

        def read(self, column, start, out): ...

        def pick(self, column, rows): ...

    plain = frame_of(beammap)
    assert photon_views.in_the_way(plain) == ()
    assert photon_views.state(plain, None).startswith("No index")
    step = MaskStep(TimeMask(np.array([5]), np.array([9])))
    masked = replace(plain, raw=Columns(plain.raw.info, *[np.empty(0)] * 3), stack=(step,))
    assert photon_views.in_the_way(masked) == ("Cosmic rays",)
    said = photon_views.state(masked, None)
    assert "index" not in said
    assert "when a slider is released" in said
    assert said.endswith("Cosmic rays.")


def test_what_a_list_says_of_itself_is_said_once(beammap):
    frame = frame_of(beammap)
    source = replace(frame.source, info=replace(frame.source.info, notes=("A second is missing.", "Seven are lost.")))
    assert photon_views.notes(frame) == ()
    assert photon_views.notes(replace(frame, raw=source, source=source)) == ("A second is missing.", "Seven are lost.")


def test_bits_without_a_name_are_told_apart_and_the_rarest_is_on_top():
    flags = np.zeros((2, 4), np.uint64)
    flags[:, :] |= 1 << 20
    flags[0, :] |= 1 << 2
    flags[0, 1] |= 1 << 5
    names = tuple(f"bit {i}" for i in range(21))
    bits = Beammap(np.arange(8), np.arange(8).reshape(2, 4), flags, names)
    found = classes(bits)
    assert len(np.unique(found)) == 3 and len({found[0, 0], found[0, 1], found[1, 0]}) == 3
    rows = {row.name: row.color for row in legend(bits, (), {})}
    assert rows == {"bit 2": color_of(found[0, 0]), "bit 5": color_of(found[0, 1]), "bit 20": color_of(found[1, 0])}
