"""Hot columns in a made image of the detector: it decides on what spectra show, and tells what they do not."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from ifuview.engine.night.image.detector import Detector
from ifuview.engine.night.image.hot import OR_TARGET, columns_told, hot_columns, hottest
from ifuview.model.night.chain import Section
from ifuview.model.night.triage import Finding
from tests.engine.night.made import camera

NFIBER, NROW, EDGE = 40, 1000, 500
ALONG = np.arange(0.0, NROW, 2.0)
CROSS = 20.0 + 7.3 * np.arange(NFIBER)[:, None] + 5.0 * (ALONG / NROW - 0.5) ** 2
DISP = np.broadcast_to(ALONG, CROSS.shape)
NCROSS = int(CROSS.max() + 20)
SECTIONS = Section("A", (0, NCROSS), (0, EDGE)), Section("C", (0, NCROSS), (EDGE, NROW))
NOISE, PLACE, LEVEL = 4.0, 150, 60.0
CHAIN = replace(camera(), cross=CROSS, disp=DISP, sections=SECTIONS, wave=5800.0 + 0.8 * np.arange(ALONG.size))


@lru_cache(maxsize=4)
def image(columns=(), star=None, seed=3):
    """Fibers whose profile is no Gaussian, and columns (place, first row, last, level)."""
    random = np.random.default_rng(seed)
    rows = np.arange(NROW)
    centers = np.array([np.interp(rows, DISP[f], CROSS[f]) for f in range(NFIBER)])
    light = 60.0 + 60.0 * random.exponential(1.0, NFIBER)
    if star is not None:
        light[star] *= 50
    out = NOISE * random.normal(size=(NCROSS, NROW))
    for f in range(NFIBER):
        x = np.arange(NCROSS)[:, None] - centers[f]
        out += light[f] * (0.94 * np.exp(-0.5 * (x / 1.07) ** 2) + 0.06 * np.exp(-0.5 * (x / 2.2) ** 2)) / 2.7
    for place, first, last, level in columns:
        out[place, first:last] += level
    return Detector(out.astype(np.float32), np.zeros(out.shape, bool))


def finding(sky=False):
    detail = {"column": PLACE + 1.2, "lower": True, "sky_fiber": sky}
    text = f"Column {PLACE + 1.2:.0f} of the detector adds light{OR_TARGET}"
    return Finding(1, "r1", "ccd-column", "preproc", (17,), confidence=0.6, text=text, detail=detail)


def test_a_column_of_the_image_is_told_with_its_amplifier_level_and_fibers():
    (one,) = columns_told([], CHAIN, image(((PLACE, EDGE, NROW, LEVEL),)), 1, "r1")
    assert (one.kind, one.first_step, one.amplifier, one.detail["column"]) == ("ccd-column", "preproc", "C", PLACE)
    assert one.amplitude == pytest.approx(LEVEL, abs=2.0)  # 5 % of the light of a fiber are not its Gaussian
    nearest = int(np.argmin(np.abs(CROSS - PLACE).min(axis=1)))
    assert nearest in one.fibers
    assert one.wave_range[0] >= CHAIN.wave[EDGE // 2 - 1]


def test_an_image_without_columns_has_none_beside_a_star_either():
    assert hot_columns(image(), CROSS, DISP, SECTIONS) == []
    assert hot_columns(image(star=20), CROSS, DISP, SECTIONS) == []


def test_columns_are_found_wherever_they_lie_in_a_trace():
    places = PLACE + 22 * np.arange(-5, 6)  # three fibers and a pixel further each
    detector = image(tuple((int(at), 0, EDGE, 20.0) for at in places))
    assert [(s.name, h.column) for s, h in hot_columns(detector, CROSS, DISP, SECTIONS)] == [("A", p) for p in places]


def test_a_column_that_no_trace_crosses_harms_no_spectrum():
    free = [c for c in range(60, 200) if np.abs(CROSS - c).min() > 2.0]
    detector = image(((free[0], 0, EDGE, LEVEL),))
    assert len(hot_columns(detector, CROSS, DISP, SECTIONS)) == 1
    assert columns_told([], CHAIN, detector, 1, "r1") == []


def test_masked_columns_are_in_no_spectrum():
    detector = image(((PLACE, 0, EDGE, LEVEL),))
    bad = detector.bad.copy()
    bad[PLACE, :EDGE] = True
    assert hot_columns(replace(detector, bad=bad), CROSS, DISP, SECTIONS) == []


def test_the_image_decides_on_a_column_that_may_be_a_feature_of_the_target():
    (one,) = columns_told([finding()], CHAIN, image(((PLACE, 0, EDGE, LEVEL),)), 1, "r1")
    assert (one.amplifier, one.detail["column"], one.confidence) == ("A", PLACE, 1.0)
    assert OR_TARGET not in one.text
    assert f"Column {PLACE} of" in one.text
    assert columns_told([finding()], CHAIN, image(), 1, "r1") == []


def test_a_sky_fiber_keeps_its_light_though_the_image_has_no_column():
    (one,) = columns_told([finding(sky=True)], CHAIN, image(), 1, "r1")
    assert one.detail["in_detector_image"] is False
    assert one.confidence < 0.5
    assert "no such column" in one.text


def test_what_lies_at_the_rim_of_the_image_is_not_told():
    assert hottest(image(), CROSS, DISP, 5.0, (0, EDGE)) is None
    assert columns_told([replace(finding(), detail={**finding().detail, "column": 3.0})], CHAIN, image(), 1, "r1")
