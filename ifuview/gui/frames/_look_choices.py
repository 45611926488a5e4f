"""The entries of the limits dock's boxes, and the small things done with such boxes."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QIcon, QImage, QPixmap
from PyQt6.QtWidgets import QComboBox

from ifuview.app.frames.look import LimitMode, Reduction, Smooth, Transfer
from ifuview.app.frames.views import colors
from ifuview.app.frames.views.limits import PERCENTS

SWATCH = QSize(48, 12)  # screen px
TRANSFERS = (
    ("Linear", Transfer.LINEAR),
    ("Logarithm", Transfer.LOG),
    ("Square root", Transfer.SQRT),
    ("Squared", Transfer.SQUARED),
    ("Power", Transfer.POWER),
    ("Inverse sinh", Transfer.ASINH),
    ("Sinh", Transfer.SINH),
    ("Histogram equalization", Transfer.HISTEQ),
)
MODES = (
    ("zscale", (LimitMode.ZSCALE, None)),
    ("Minimum to maximum", (LimitMode.MINMAX, None)),
    *((f"{p:g} % of the pixels", (LimitMode.PERCENTILE, p)) for p in PERCENTS),
    ("As set by hand", (LimitMode.USER, None)),
)
REDUCTIONS = (
    ("Nearest pixel", Reduction.NEAREST),
    ("Mean", Reduction.MEAN),
    ("Extreme (nothing vanishes)", Reduction.EXTREME),
)
SMOOTHS = (("No smoothing", Smooth.NONE), ("Boxcar", Smooth.BOXCAR), ("Gaussian", Smooth.GAUSSIAN))


def narrow(box: QComboBox) -> QComboBox:
    """A combo box that does not force the dock wide."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def select(box: QComboBox, data: object) -> None:
    """Show the entry with this data."""
    for i in range(box.count()):
        if box.itemData(i) == data:
            box.setCurrentIndex(i)
            return


def swatch(name: str) -> QIcon:
    """The color map as a small picture."""
    ramp = (colors.ramp(name, np.linspace(0.0, 1.0, SWATCH.width())) * 255).astype(np.uint8)
    rgb = np.ascontiguousarray(np.repeat(ramp[None], SWATCH.height(), axis=0))
    image = QImage(rgb.tobytes(), SWATCH.width(), SWATCH.height(), 3 * SWATCH.width(), QImage.Format.Format_RGB888)
    return QIcon(QPixmap.fromImage(image))
