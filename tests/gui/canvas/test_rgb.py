"""Three frames as red, green and blue, each within its own limits."""

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames import steps
from ifuview.app.frames.rgb import make_rgb
from ifuview.app.frames.state import RangeOf
from ifuview.app.frames.views.readout import readout
from ifuview.app.session import Session
from ifuview.errors import UsageError
from tests.gui.canvas.test_image_canvas import NX, NY, canvas, show, slot  # noqa: F401 (fixture)


def three():
    """A frame whose left, one whose right, one whose upper half is bright; the last has limits of its own."""
    data = [np.zeros((NY, NX), np.float32) for _ in range(3)]
    data[0][:, : NX // 2], data[1][:, NX // 2 :], data[2][NY // 2 :] = 100, 100, 50
    slots = [slot(k + 1, d) for k, d in enumerate(data)]
    slots[2] = replace(slots[2], look=replace(slots[2].look, hi=50.0))
    return Session(slots=tuple(slots), current=3, next_key=4)


def test_each_color_is_a_frame_within_its_own_limits(canvas):  # noqa: F811
    session = make_rgb(three(), want.MakeRgb())
    seen = show(canvas, session)
    h, w = seen.shape
    corners = [int(seen[y, x] & 0xFFFFFF) for y in (h // 4, 3 * h // 4) for x in (w // 4, 3 * w // 4)]
    assert corners == [0xFF00FF, 0x00FFFF, 0xFF0000, 0x00FF00]
    fields = dict(readout(session, 4, 10.0, 30.0).fields)
    assert (fields["red"], fields["green"], fields["blue"]) == ("100", "0", "50")
    dimmer = replace(session.slots[0], look=replace(session.slots[0].look, hi=200.0))
    assert int(show(canvas, session.with_slot(dimmer))[3 * h // 4, w // 4] >> 16 & 0xFF) == pytest.approx(127, abs=2)
    closed = steps.close(session, want.CloseSlot(2))
    assert int(show(canvas, closed)[3 * h // 4, w // 4] & 0xFFFFFF) == 0xFFFFFF  # one of it is gone: a gray image


def test_ranges_go_by_wavelength_and_fewer_than_three_are_refused():
    session = three()
    for one, window in zip(session.slots, ((4000.0, 4100.0), (6000.0, 6100.0), (5000.0, 5100.0))):
        session = session.with_slot(replace(one, made_of=RangeOf(9, "sum", window=window)))
    assert make_rgb(session, want.MakeRgb()).slot().made_of.keys == (2, 3, 1)
    with pytest.raises(UsageError, match="no three frames"):
        make_rgb(steps.close(session, want.CloseSlot(2)), want.MakeRgb())
