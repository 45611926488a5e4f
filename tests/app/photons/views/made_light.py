"""A small session with a photon list whose light is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import Look
from ifuview.app.photons import light
from ifuview.app.photons.state import LightOptions, PhotonFrame, Shown
from ifuview.app.session import Selection, Session, Slot
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.photons.lists import PhotonCut
from ifuview.model.pixels import Pixels
from ifuview.model.region import Region, Shape
from tests.engine.photons.lists import made

NY, NX = 12, 16
SKY, STAR, DURATION = 5.0, 400.0, 10.0  # photons/s per pixel, photons/s, s
STAR_AT = (8, 6)
CIRCLE = Region(Shape.CIRCLE, ((8.0, 6.0),), (1.5,), text="1", color="#E69F00")
BOX = Region(Shape.BOX, ((2.5, 2.5),), (4.0, 2.0), text="2", color="#2BBF93")


def photon_list(**options):
    rates = np.full((NY, NX), SKY)
    rates[STAR_AT[1], STAR_AT[0]] += STAR
    return made(rates, DURATION, seed=3, **options)


def session(*regions: Region, pixel: tuple[int, int] | None = STAR_AT, source=None, cut=None, **options) -> Session:
    """One frame of a photon list with a crosshair and regions."""
    source = source or photon_list()
    image = Image("PHOTONS", Kind.IMAGE, Pixels(np.zeros((NY, NX), np.float32)))
    frame = PhotonFrame(source, source, cut or PhotonCut(), Shown.COUNTS)
    slot = Slot(1, "made.h5", Dataset("made.h5", kind="photons"), image, look=Look(lo=0.0, hi=1.0), regions=regions,
                photons=frame)  # fmt: skip
    chosen = Selection() if pixel is None else Selection(x=float(pixel[0]), y=float(pixel[1]))
    return Session(slots=(slot,), current=1, selection=chosen, light=LightOptions(**options) if options else None)


def counted(state: Session) -> Session:
    """The session with the light of its selections."""
    asked = light.request(state)
    assert asked is not None
    return replace(state, lights=light.count(asked))
