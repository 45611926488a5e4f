"""Beam flags as colors: which class of trouble a pixel belongs to, and the legend that names every flag of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ifuview.app.frames.look import LimitMode, Look, Reduction
from ifuview.app.frames.views import colors
from ifuview.io.photons.flags import mask_bits
from ifuview.model.checks import Array, is_whole
from ifuview.model.image import Image
from ifuview.model.photons.lists import Beammap
from ifuview.model.pixels import Pixels

CMAP = "flags"  # resources/colormaps/flags.txt, in the order of the classes below
NCLASS = 16
WORD = 32  # bits that a mask has unless there are more flags
GOOD, NO_TONE, NO_POSITION, DOUBTFUL, HOT, COLD, DEAD, NO_SOLUTION, FAILED, SOME_LINES, NO_FLAT, SOME_FLAT = range(12)
LINEAR, QUADRATIC, OTHER, EMPTY = range(12, NCLASS)
CLASSES = {
    "beammap.noDacTone": NO_TONE,
    "beammap.failed": NO_POSITION,
    "beammap.yFailed": NO_POSITION,
    "beammap.xFailed": NO_POSITION,
    "beammap.double": DOUBTFUL,
    "beammap.wrongFeedline": DOUBTFUL,
    "beammap.duplicatePixel": DOUBTFUL,
    "pixcal.hot": HOT,
    "pixcal.cold": COLD,
    "pixcal.dead": DEAD,
    "found.hot": HOT,
    "found.cold": COLD,
    "found.dead": DEAD,
    "wavecal.bad": NO_SOLUTION,
    "wavecal.not_attempted": NO_SOLUTION,
    "wavecal.no_histograms": NO_SOLUTION,
    "wavecal.failed_validation": FAILED,
    "wavecal.failed_convergence": FAILED,
    "wavecal.not_monotonic": FAILED,
    "wavecal.not_enough_histogram_fits": FAILED,
    "wavecal.histogram_fit_problems": SOME_LINES,
    "wavecal.linear": LINEAR,
    "wavecal.quadratic": QUADRATIC,
    "flatcal.bad": NO_FLAT,
    "flatcal.not_all_weights_valid": SOME_FLAT,
}
# the later ones cover the earlier: what explains most goes last
ORDER = (QUADRATIC, LINEAR, OTHER, SOME_FLAT, SOME_LINES, NO_FLAT, NO_SOLUTION, FAILED, DOUBTFUL, COLD, DEAD,
         NO_POSITION, HOT, NO_TONE)  # fmt: skip
APART = (HOT, COLD, NO_POSITION, QUADRATIC, FAILED, DOUBTFUL, SOME_FLAT, DEAD, LINEAR, NO_FLAT, SOME_LINES, NO_SOLUTION)


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One line of the legend.

    Parameters
    ----------
    name : str
    color : str
        #rrggbb of pixels that show this flag.
    count : int
        Pixels that carry it.
    excluded : bool
        Whether pixels with it are left out.
    tip : str
        What it means; both meanings where the file is not clear.
    note : str
        The second meaning, "" if there is none.
    """

    name: str
    color: str
    count: int
    excluded: bool
    tip: str = ""
    note: str = ""


def class_of(name: str) -> int:
    """Return the class of a flag; bits without a name are only told apart."""
    number = name.removeprefix("bit ")
    return APART[int(number) % len(APART)] if number != name and is_whole(number) else CLASSES.get(name, OTHER)


@lru_cache(maxsize=NCLASS)
def color_of(kind: int) -> str:
    """Return the color (#rrggbb) of a class."""
    red, green, blue = np.round(255 * colors.ramp(CMAP, np.array([(kind + 0.5) / NCLASS]))[0]).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def classes(beammap: Beammap) -> Array:
    """Return the class of every pixel, uint8 (ny, nx): that of its flag which explains most."""
    out = np.zeros(beammap.shape, np.uint8)
    out[beammap.index < 0] = EMPTY
    shown = []
    for kind in ORDER:
        bits = sum(1 << i for i, name in enumerate(beammap.flag_names) if class_of(name) == kind)
        if bits:
            shown.append((kind, (beammap.flags & np.uint64(bits)) != 0))
    if not any(name in CLASSES for name in beammap.flag_names):
        shown.sort(key=lambda found: -int(found[1].sum()))  # nothing is known of them: the rarest goes on top
    for kind, pixels in shown:
        out[pixels] = kind
    return out


def flag_image(image: Image, beammap: Beammap) -> Image:
    """Return the image of the flags (which holds their bits as its mask) with classes as values."""
    return replace(masked(image, beammap), name="beam flags", pixels=Pixels(classes(beammap)), unit="")


def masked(image: Image, beammap: Beammap) -> Image:
    """Return an image with the flags of a beammap as its mask: calibrations add flags to those of the file."""
    if image.mask is not None and np.array_equal(image.mask.raw, beammap.flags):
        return image
    kind = np.uint32 if len(beammap.flag_names) <= WORD else np.uint64
    bits = mask_bits(beammap.flag_names, beammap.flag_notes)
    return replace(image, mask=Pixels(beammap.flags.astype(kind)), mask_bits=bits)


def flag_look() -> Look:
    """The look of an image of classes."""
    return Look(limit_mode=LimitMode.USER, lo=-0.5, hi=NCLASS - 0.5, cmap=CMAP, reduction=Reduction.NEAREST)


def legend(beammap: Beammap, exclude: Sequence[str], meanings: Mapping[str, str]) -> tuple[FlagRow, ...]:
    """Return one row for each flag that a pixel carries or that is left out; those with most to say first."""
    rows = []
    for i, name in enumerate(beammap.flag_names):
        count = int(np.count_nonzero((beammap.flags >> np.uint64(i)) & np.uint64(1)))
        note = beammap.flag_notes.get(name, "")
        if count or name in exclude:
            tip = "; ".join(filter(None, (meanings.get(name, ""), note)))
            rows.append(FlagRow(name, color_of(class_of(name)), count, name in exclude, tip, note))
    place = {kind: n for n, kind in enumerate(reversed(ORDER))}
    return tuple(sorted(rows, key=lambda row: (not row.count, place[class_of(row.name)])))
