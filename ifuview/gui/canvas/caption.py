"""What a blinking canvas shows just now: the set by name, this frame in bold, its colors, limits and unit."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QFont, QImage, QPainter

from ifuview.app.frames.look import Look
from ifuview.app.frames.views import colors
from ifuview.app.frames.views.image import PictureView
from ifuview.gui.canvas.scale import label
from ifuview.gui.canvas.stages import RGB32, same

BACK, INK, QUIET = QColor(16, 18, 20, 225), QColor("#ffffff"), QColor("#c4c9ce")
PLACE = 6  # logical px from the corner
PAD, BAR, GAP = 6, 8, 4  # logical px
BAR_WIDTH = 120  # logical px at least
SHOWN, HIDDEN = "\u25cf", "\u25cb"
MOST_NAMED = 8  # frames of a blink


class Caption:
    """A small picture of name and colors for each frame, painted once and then only copied."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[tuple[object, ...], QImage]] = {}

    def keep(self, keys: set[int]) -> None:
        """Forget frames that are closed."""
        self._made = {k: v for k, v in self._made.items() if k in keys}

    def paint(
        self, p: QPainter, picture: PictureView, look: Look, limits: tuple[float, float], place: str, ratio: float,
        others: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Paint it into the upper left corner; `place` says which of how many frames it is, `others` name the set."""
        state = (picture.title, picture.unit, look, limits, place, ratio, others, p.font().toString())
        known = self._made.get(picture.key)
        if known is None or not same(known[0], state):
            known = (state, _made(p.font(), picture, look, limits, place, ratio, others))
            self._made[picture.key] = known
        corner = round(PLACE * ratio)
        p.drawImage(corner, corner, known[1])


def words(picture: PictureView, limits: tuple[float, float]) -> tuple[str, str, str]:
    """Lower limit, unit and upper limit."""
    low, high = (label(v, limits) for v in limits)
    return low, picture.unit, high


def _made(
    font: QFont, picture: PictureView, look: Look, limits: tuple[float, float], place: str, ratio: float,
    others: tuple[str, ...],
) -> QImage:  # fmt: skip
    """The caption of one frame as a picture in device px."""
    from PyQt6.QtGui import QFontMetrics

    strong = QFont(font)
    strong.setBold(True)
    heavy, light = QFontMetrics(strong), QFontMetrics(font)
    pad, bar, gap = (round(v * ratio) for v in (PAD, BAR, GAP))
    low, unit, high = words(picture, limits)
    below = light.horizontalAdvance(f"{low}  {unit}  {high}")
    name = heavy.horizontalAdvance(picture.title)
    inner = max(name + 2 * pad + light.horizontalAdvance(place), below, round(BAR_WIDTH * ratio),
                *(heavy.horizontalAdvance(f"{SHOWN} {other}") for other in others))  # fmt: skip
    first = 2 * pad + heavy.height() + gap + bar + light.height()
    height = first + len(others) * heavy.height()
    image = QImage(inner + 2 * pad, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(BACK)
    p = QPainter(image)
    p.setFont(strong)
    p.setPen(INK)
    p.drawText(pad, pad + heavy.ascent(), picture.title)
    p.setFont(font)
    p.setPen(QUIET)
    p.drawText(pad + inner - light.horizontalAdvance(place), pad + heavy.ascent(), place)
    ramp = np.ascontiguousarray(colors.table(look.cmap, invert=look.invert, bias=look.bias, contrast=look.contrast)[1:])
    top = pad + heavy.height() + gap
    p.drawImage(QRectF(pad, top, inner, bar), QImage(ramp.tobytes(), len(ramp), 1, 4 * len(ramp), RGB32))
    base = top + bar + light.ascent()
    p.drawText(pad, base, low)
    p.drawText(pad + (inner - light.horizontalAdvance(unit)) // 2, base, unit)
    p.drawText(pad + inner - light.horizontalAdvance(high), base, high)
    for number, other in enumerate(others):
        here = other == picture.title
        p.setFont(strong if here else font)
        p.setPen(INK if here else QUIET)
        p.drawText(pad, first - pad + number * heavy.height() + heavy.ascent(), f"{SHOWN if here else HIDDEN} {other}")
    p.end()
    return image
