"""Small files that once were read wrong without a word, as they lie beside the checkout: each has its right value."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from ifuview import read_regions
from ifuview.app.frames.sky.worldpos import sky_position
from ifuview.app.opening import open_images


@pytest.fixture(scope="module")
def cases(shared_data):
    folder = shared_data / "cases" / "public"
    expected = json.loads((folder / "expect.json").read_text("utf-8"))
    return folder, {name: right for name, right in expected.items() if set(right) != {"kind"}}


@pytest.mark.filterwarnings("ignore")
def test_every_case_has_its_right_value(cases):
    folder, expected = cases
    wrong = {name: why for name, right in expected.items() if (why := reasons(folder / name, right))}
    assert len(expected) >= 35 and wrong == {}


def reasons(path: Any, right: dict[str, Any]) -> list[str]:
    """What is not as it should be."""
    if path.suffix == ".reg":
        count = len(read_regions(str(path)))
        return [] if count == right["regions"] else [f"{count} regions"]
    opened = open_images(str(path))[0]
    image, why = opened.image, []
    if "wave" in right:
        why += _of_wave(image.wave, right["wave"])
    if str(image.kind) != right.get("image_kind", str(image.kind)) or image.name != right.get("first", image.name):
        why.append(f"opens {image.name} as {image.kind}")
    if "sky" in right:
        why += _of_sky(path, image)
    if right.get("ivar_finite") and not np.isfinite(image.ivar.native()).all():
        why.append("inverse variance is not finite")
    if "limits_within" in right:
        low, high = right["limits_within"]
        why += [] if low <= opened.look.lo < opened.look.hi <= high else [f"limits {opened.look.lo} {opened.look.hi}"]
    return why


def _of_wave(wave: Any, right: list[float] | None) -> list[str]:
    if wave is None or right is None:
        return [] if wave is None and right is None else [f"wavelengths {wave}"]
    row = np.asarray(wave, float).reshape(-1, np.shape(wave)[-1])[0]
    same = row.size == right[3] and np.allclose(row[[0, row.size // 2, -1]], right[:3], rtol=1e-6)
    return [] if same else [f"wavelengths {row[0]} to {row[-1]}"]


def _of_sky(path: Any, image: Any) -> list[str]:
    wcs, (ny, nx) = WCS(fits.getheader(path)), image.shape
    scale = np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix)))
    for x, y in ((0, 0), (nx - 1, ny - 1)):
        (a, d), (ra, dec) = wcs.all_pix2world([[x, y]], 0)[0], sky_position(image.wcs, x, y)
        if np.hypot((a - ra) * np.cos(np.radians(d)), d - dec) > 0.1 * scale:
            return [f"another place on the sky at {x}, {y}"]
    return []
