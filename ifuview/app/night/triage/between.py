"""Findings that only the cameras of one exposure tell together: gray factors of a calibration, light of one petal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ifuview.model.night.triage import Finding

Camera = tuple[int, str, Mapping[str, Any]]  # exposure, name, its numbers
WOULD_TELL = "the camera on the other side of it, or the sky of two other petals, would tell which"
NO_LINES = "its sky has no lines that would tell one from the other"


def between(cameras: Sequence[Camera]) -> list[Finding]:
    """Cameras whose calibration has a factor, and petals with light of their own."""
    petals: dict[tuple[int, str], list[Camera]] = {}
    arms: dict[tuple[int, str], list[Camera]] = {}
    for camera in cameras:
        petals.setdefault((camera[0], camera[1][1:]), []).append(camera)
        arms.setdefault((camera[0], camera[1][:1]), []).append(camera)
    skies = [found for (expid, _), of in arms.items() for found in _by_sky(expid, of)]
    gray = {(f.expid, f.camera) for f in skies if f.kind == "fluxcalib"}
    beside = [found for (expid, _), of in petals.items() for found in _by_neighbors(expid, of, gray)]
    told = {(f.expid, f.camera) for f in beside}
    return [*beside, *(f for f in skies if (f.expid, f.camera) not in told or f.kind != "fluxcalib")]


def _by_neighbors(expid: int, of: Sequence[Camera], gray: set[tuple[int, str]]) -> list[Finding]:
    """Cameras of one petal whose flux is not that of the next one where they overlap."""
    from ifuview.engine.night.search.between import blamed, gray_ratio

    known = sorted((c for c in of if "ends" in c[2]), key=lambda c: float(c[2]["ends"].at[0]))
    pairs = pairwise(known)
    ratios = {(a[1], b[1]): r for a, b in pairs if (r := gray_ratio(a[2]["ends"], b[2]["ends"])) is not None}
    count = {c[1]: int(c[2]["ends"].flux.shape[0]) for c in known}
    out = []
    for names, factor in blamed([c[1] for c in known], ratios):
        score = max(abs(v) / e for pair, (v, e) in ratios.items() if set(pair) & set(names))
        sure = [n for n in names if (expid, n) in gray] or list(names)
        for name in names if len(sure) != 1 else sure:
            own = factor if name == names[0] else -factor
            text = (
                f"The calibrated flux is {np.exp(own):.2f} times that of the cameras beside it at the same wavelengths"
            )
            if len(sure) > 1:
                other = next(n for n in names if n != name)
                text += f"; or that of {other} is {np.exp(-own):.2f} times too bright: {WOULD_TELL}"
            out.append(_gray(expid, name, count[name], own, score, text, 0.5 if len(sure) > 1 else 0.9))
    return out


def _by_sky(expid: int, of: Sequence[Camera]) -> list[Finding]:
    """Cameras of one arm whose calibrated sky is not that of the other petals."""
    from ifuview.engine.night.search.between import LIGHT, SKY, odd_skies

    known = {c[1]: c for c in of if np.isfinite(c[2].get("calibrated_sky", (np.nan,))[0])}
    out = []
    for name, odd in odd_skies({n: c[2]["calibrated_sky"] for n, c in known.items()}).items():
        count = int(known[name][2].get("judged", {}).get("fibers", 0))
        size = abs(float(np.log(odd.factor)))
        said = f"the sky of this petal is {odd.factor:.2f} times that of the others"
        if odd.kind == "light":
            out.append(_light(expid, name, odd.factor, size / LIGHT, f"Between its lines {said}, the lines are alike: "
                              "stray light or a lamp on the petal; other exposures would tell"))  # fmt: skip
        else:
            doubt = f"; or light of a lamp on it: {NO_LINES}" if odd.kind == "either" else ", lines and all"
            text = f"After the flux calibration {said}{doubt}"
            factor = float(np.log(odd.factor))
            out.append(_gray(expid, name, count, factor, 5 * size / SKY, text, 0.5 if odd.kind == "either" else 0.8))
    return out


def _gray(expid: int, name: str, count: int, factor: float, score: float, text: str, sure: float) -> Finding:
    return Finding(
        expid, name, "fluxcalib", "fluxcalib", fibers=tuple(range(count)), amplitude=float(np.exp(-factor)),
        unit="relative", significance=score, confidence=sure, detail={"gray": True},
        text=f"{text}: the calibration is {np.exp(-factor):.2f} times what it should be",
    )  # fmt: skip


def _light(expid: int, name: str, factor: float, score: float, text: str) -> Finding:
    return Finding(
        expid, name, "wavelength-all", "light", amplitude=factor - 1, unit="of the sky", significance=5 * score,
        confidence=0.6, text=text,
    )  # fmt: skip
