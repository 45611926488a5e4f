"""The overlay is made anew when what it shows is another, arrays included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.views.overlay import OverlayCache
from ifuview.app.open_tasks import frames_opened
from ifuview.app.outside.objects import as_dataset, opened
from ifuview.app.session import Session


def test_other_values_of_a_metric_make_another_overlay():
    session = frames_opened(Session(), opened(as_dataset(np.eye(9), "eye")))
    cache, slot = OverlayCache(), session.slots[0]
    first = replace(session, metrics=(("offset", np.zeros(3)),))
    second = replace(session, metrics=(("offset", np.ones(3)),))
    view = cache.view(first, slot)
    assert cache.view(first, slot) is view
    assert cache.view(second, slot) is not view
