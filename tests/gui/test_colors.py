"""Colors that tell things apart do so for everybody, or something else than color does.

Color vision without one kind of cones after Machado, Oliveira and Fernandes (2009), severity 1; differences in OKLab
(Ottosson 2020), in which 0.02 is about what can just be seen side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QColor, QImage, QPainter

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import overlay, regions
from ifuview.gui.canvas import fiber_marks, layers
from ifuview.gui.night import _exposure_dots
from ifuview.model.figure import ON_DARK, ON_LIGHT
from ifuview.model.night.exposures import Dot
from ifuview.model.verdict import VERDICT_COLORS, VERDICT_SIGNS, VerdictState

VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip
MARKS = fiber_marks.COLORS
BLOCKS = tuple(f"#{color:06x}" for color in overlay.BLOCK_COLORS)


def linear(color: str) -> np.ndarray:
    """Linear red, green and blue of #rrggbb."""
    part = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def oklab(color: str, vision: np.ndarray) -> np.ndarray:
    return TO_LAB @ np.cbrt(TO_LMS @ np.clip(vision @ linear(color), 0, 1))


def nearest(colors: Iterable[str], vision: np.ndarray) -> tuple[float, str, str]:
    """The least difference of any two colors, and which they are."""
    return min(
        (float(np.linalg.norm(oklab(a, vision) - oklab(b, vision))), a, b) for a, b in itertools.combinations(colors, 2)
    )


def contrast(a: str, b: str) -> float:
    """Ratio of luminances (WCAG 2)."""
    low, high = sorted(float(linear(c) @ (0.2126, 0.7152, 0.0722)) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_right() -> None:
    """White is 1, 0, 0; red and green, alike for a deuteranope by hue, differ less than half as much."""
    np.testing.assert_allclose(oklab("#ffffff", VISION["usual"]), (1, 0, 0), atol=1e-4)
    apart = {name: nearest(("#c00000", "#008000"), vision)[0] for name, vision in VISION.items()}
    assert apart["deuteranopia"] < 0.5 * apart["usual"]


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    ("colors", "least"),
    [
        (ON_LIGHT, 0.08), (ON_DARK, 0.08), (regions.PALETTE, 0.07), (BLOCKS, 0.1),
        (tuple(VERDICT_COLORS.values()), 0.07),
        ([MARKS[k].name() for k in (fiber_marks.MarkKind.SKY, fiber_marks.MarkKind.BAD)], 0.1),
        ([MARKS[k].name() for k in (fiber_marks.MarkKind.SOURCE, fiber_marks.MarkKind.CONTOUR)], 0.1),
    ],
    ids=["series on light", "series on dark", "regions", "blocks", "verdicts", "sky and bad", "sources and contours"],
)  # fmt: skip
def test_colors_are_told_apart(vision: str, colors: Iterable[str], least: float) -> None:
    found = nearest(colors, VISION[vision])
    assert found[0] >= least, found


def test_verdicts_carry_a_sign_each_and_white_letters() -> None:
    assert len(set(VERDICT_SIGNS.values())) == len(VerdictState)
    assert min(contrast(color, "#ffffff") for color in VERDICT_COLORS.values()) >= 4.5
    assert set(VERDICT_COLORS) == set(VERDICT_SIGNS) == set(VerdictState)


def test_dots_of_the_exposures_are_told_by_shape_where_colors_are_near() -> None:
    """Each two kinds that look alike without a kind of cones have not the same shape."""
    for theme in (0, 1):
        for vision in VISION.values():
            for a, b in itertools.combinations(_exposure_dots.COLORS, 2):
                pair = [_exposure_dots.COLORS[k][theme] for k in (a, b)]
                if pair[0] != pair[1] and nearest(pair, vision)[0] < 0.05:
                    assert shape(a) != shape(b), (a, b, pair)


def shape(dot: Dot) -> bytes:
    """The dot without its color, as it is painted."""
    image = QImage(13, 13, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    p = QPainter(image)
    _exposure_dots._dot(p, QPointF(6.5, 6.5), dot, QColor("white"), True, False)
    p.end()
    bits = image.constBits()
    assert bits is not None
    return bytes(bits.asstring(image.sizeInBytes()))


def test_the_chosen_fiber_has_a_white_casing_and_is_wider() -> None:
    image = QImage(60, 41, QImage.Format.Format_RGB32)
    image.fill(QColor("#404040"))
    x = np.broadcast_to(np.arange(60.0), (3, 60))
    y = np.broadcast_to(np.array([[5.0], [20.0], [35.0]]), (3, 60)).copy()
    box = np.stack([x.min(1), x.max(1), y.min(1), y.max(1)])
    curves = overlay.Curves(np.array(x), y, (1,), (0.0,), box)
    view = overlay.OverlayView(curves=curves, color=np.full(3, overlay.BLOCK_COLORS[0]), selected=1,
                               first=np.array([0]), by_block=True)  # fmt: skip
    p = QPainter(image)
    layers.draw_curves(p, view, ViewState(x=29.5, y=20.0, zoom=1.0, fit=False), (60, 41))
    p.end()
    across = [image.pixelColor(30, n).name() for n in range(41)]
    width = {row: sum(c != "#404040" for c in across[row - 5 : row + 6]) for row in (6, 21, 36)}
    assert "#ffffff" in across[15:20] and "#ffffff" in across[21:27]
    assert layers.SELECTED_COLOR.name() in across[18:24]
    assert width[21] > 2 * max(width[6], width[36])
