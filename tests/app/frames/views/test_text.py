"""Words for places on a detector."""

from dataclasses import replace

import numpy as np

from ifuview.app.frames.views.text import along, along_axis
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels


def test_fibers_along_y_have_rows_and_others_columns():
    image = Image("IMAGE", Kind.DETECTOR, Pixels(np.zeros((50, 30), np.float32)))
    assert (along(image, 9), along_axis(image)) == ("column 9", "Column (px)")
    turned = replace(image, orientation=Orientation(transpose=True))
    assert (along(turned, 40), along_axis(turned)) == ("row y 40", "Row y (px)")
    backwards = replace(image, orientation=Orientation(transpose=True, flip_disp=True))
    assert (along(backwards, 40), along_axis(backwards)) == ("row y 9", "Row y (px)")  # plots are turned
