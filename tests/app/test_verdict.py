"""The bar of what no test can look at says so, with the reason; a plain image has none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import verdict
from ifuview.app.session import Session, Slot
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.verdict import VerdictState


def bar(instrument: str, kind: Kind, path: str = "a.fits", family: str = "image"):
    image = Image("FLUX", kind, Pixels(np.ones((5, 9), np.float32)))
    slot = Slot(1, "a", replace(Dataset(path, images=(image,), kind=family), instrument=instrument), image)
    return verdict.make(Session(slots=(slot,), current=1))


@pytest.mark.parametrize(
    ("instrument", "kind", "word"),
    [
        ("lrs2", Kind.RSS, "reduced"),
        ("virus", Kind.RSS, "reduced"),
        ("desi", Kind.DETECTOR, "traces"),
        ("plain", Kind.RSS, "without errors"),
    ],
)
def test_what_nobody_asked_is_not_judged_and_says_why(instrument: str, kind: Kind, word: str) -> None:
    found = bar(instrument, kind)
    assert found.state is VerdictState.NOT_JUDGED and word in found.headline and not found.asks


@pytest.mark.parametrize(
    ("instrument", "kind"),
    [("plain", Kind.IMAGE), ("plain", Kind.CUBE), ("lrs2", Kind.IMAGE), ("virus", Kind.DETECTOR)],
)
def test_others_have_no_bar(instrument: str, kind: Kind) -> None:
    assert bar(instrument, kind) is None


@pytest.mark.parametrize(
    ("kind", "family", "word"), [(Kind.IMAGE, "psf", "detector image"), (Kind.RSS, "coadd", "production")]
)
def test_traces_and_coadded_spectra_alone_say_what_would_judge_them(kind: Kind, family: str, word: str) -> None:
    found = bar("desi", kind, family=family)
    assert found.state is VerdictState.NOT_JUDGED and word in found.headline and not found.asks


def test_what_was_made_here_has_no_bar() -> None:
    assert bar("lrs2", Kind.RSS, "") is None
