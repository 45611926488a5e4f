"""First steps before the flat told apart with the detector image: read-out, traces that moved, or light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ifuview.engine.night.image.detector import (  # fmt: skip
    MOVED,
    SEEN,
    SEEN_ERRORS,
    Detector,
    follows,
    gap_rows,
    masked_on,
    noisy,
    off_trace,
    stands_out,
)
from ifuview.engine.night.search.throughput import UNSURE
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding, NotMeasured

BY_ROWS = ("ccd-row",)
BY_FIBERS = ("wavelength-blocks", "block-throughput")
BY_MASK = ("masked-data",)
BY_IMAGE = ("ccd-column",)
EARLY = ("preproc", "trace", "frame")
IN_BLOCK = "traces, PSF or flat of this block"  # may have lost it, as long as nothing else is known
BEFORE_DETECTOR = "lost or added before the detector"
OFF_TRACES = "its traces are displaced"
MASKED = 0.5  # of the pixels on the traces
OF_LIGHT = ("throughput / flat", "level / other blocks")  # units of light over what the flat says
TOLD = 9.0  # of chi2 in another camera
DOUBT = 0.6  # of the confidence, where the image does not show what it should


def open_questions(findings: Sequence[Finding]) -> list[Finding]:
    """Findings whose first step the detector image can tell."""
    return [f for f in findings if f.first_step in EARLY and f.kind in (*BY_ROWS, *BY_FIBERS, *BY_MASK, *BY_IMAGE)]


def with_read_noise(findings: Sequence[Finding], read_noise: Mapping[str, float]) -> list[Finding]:
    """The findings; those of an amplifier whose read noise is far above the others' say so."""
    out = []
    for f in findings:
        ratios = {a: r for a in f.amplifier.split("/") if a and (r := noisy(read_noise, a)) is not None}
        if ratios and f.first_step == "preproc":
            said = ", ".join(
                f"{a} has {read_noise[a]:.1f} e, {r:.1f} times that of the others" for a, r in ratios.items()
            )
            detail = {**f.detail, "read_noise": dict(read_noise)}
            f = replace(f, text=f"{f.text}; read noise: {said}", detail=detail, confidence=1.0)
        out.append(f)
    return out


def told_apart(
    findings: Sequence[Finding], chain: Chain, levels: Mapping[str, Array], detector: Detector, bundle: int
) -> tuple[list[Finding], list[NotMeasured]]:
    """The findings with what the detector image says of them, and what it could not say.

    Parameters
    ----------
    findings : sequence of Finding
        Of one camera.
    chain : Chain
        With traces and amplifiers.
    levels : mapping of amplifier to ndarray, shape (nrow,)
        Level of each row in the spectra of bad amplifiers.
    detector : Detector
    bundle : int
        Fibers of a bundle.
    """
    out: list[Finding] = []
    lacking: list[NotMeasured] = []
    wanted = {id(f) for f in open_questions(findings) if f.kind not in BY_IMAGE}  # see `columns_told`
    offsets: Array | None = None
    for f in findings:
        if id(f) not in wanted or chain.cross is None or chain.disp is None:
            out.append(f)
        elif f.kind in BY_ROWS:
            seen = _in_the_gaps(f, chain, levels, detector, bundle)
            out.append(f if seen is None else _rows_told(f, *seen))
            if seen is None:
                lacking.append(NotMeasured(f.expid, f.camera, f"first step of {f.kind}", "rows between the bundles"))
        elif f.kind in BY_MASK:
            out.append(_mask_told(f, masked_on(detector, chain.cross, chain.disp, f.fibers, _columns(f, chain.wave))))
        else:
            offsets = off_trace(detector, chain.cross, chain.disp) if offsets is None else offsets
            out.append(_fibers_told(f, offsets))
    return out, lacking


def with_shared_light(findings: Sequence[Finding]) -> list[Finding]:
    """The findings; a loss or gain of the same fibers in another camera of their petal is the light's doing.

    Detectors, traces and flats of two cameras have nothing in common, but their fibers have.
    """
    places: dict[tuple[int, str, str], list[Finding]] = {}
    for f in findings:
        places.setdefault((f.expid, f.kind, f.camera[1:]), []).append(f)
    out = []
    for f in findings:
        early = f.kind in BY_FIBERS and f.first_step in EARLY and "off_trace" not in f.detail
        alike = places[f.expid, f.kind, f.camera[1:]] if early else []
        twins = sorted(
            {g.camera for g in alike if g.camera != f.camera and _same_sign(f, g) and set(f.fibers) & set(g.fibers)}
        )
        if twins:
            have = "has" if len(twins) == 1 else "have"
            text = f"{_of_the_light(f)}; {', '.join(twins)} {have} the same in these fibers"
            f = replace(f, first_step="light", text=text, alternatives=(), detail={**f.detail, "shared_with": twins})
        out.append(f)
    return out


def with_other_cameras(findings: Sequence[Finding], kept: Mapping[tuple[int, str], Array]) -> list[Finding]:
    """The findings; whether fibers lost light or their flat is wrong, where it is open, the petal's other cameras tell.

    The light of a fiber goes to all of them, each has a flat of its own.

    Parameters
    ----------
    findings : sequence of Finding
        Of all cameras.
    kept : mapping of (exposure, camera) to ndarray, shape (2, nfiber)
        By how much the lines of each fiber are stronger than the others', and the error.
    """
    out = []
    for f in findings:
        open_ = f.unit in OF_LIGHT and "fiberflat" in f.steps and len(f.steps) > 1
        beside = [(c, v) for (e, c), v in kept.items() if e == f.expid and c[1:] == f.camera[1:] and c != f.camera]
        told = [(camera, _shown_by(f, *values)) for camera, values in beside] if open_ else []
        camera, gain = max(told, key=lambda one: abs(one[1]), default=("", 0.0))
        if gain > TOLD:
            text = f"{_of_the_light(f)}; {camera} has the same: light that is lost or gained"
            f = replace(f, first_step="light", text=text, alternatives=(), detail={**f.detail, "shared_with": [camera]})
        elif gain < -TOLD:
            text = f"{f.text.replace(UNSURE, '')}; {camera} has it not: no light that all cameras would lack"
            f = replace(f, **_without_light(f), text=text, detail={**f.detail, "not_in": [camera]})
        out.append(f)
    return out


def _without_light(f: Finding) -> dict[str, Any]:
    """First step and alternatives of a finding that is of one camera alone."""
    said = [(f.kind, f.first_step), *f.alternatives]
    left = [one for one in said if one[1] != "light"]
    return {"first_step": left[0][1], "alternatives": tuple(left[1:])}


def _shown_by(f: Finding, value: Array, error: Array) -> float:
    """Chi2 by which another camera shows what the fibers of a finding lost, rather than nothing."""
    rows = [fiber for fiber in f.fibers if fiber < value.size]
    weight = np.where(np.isfinite(error[rows]), error[rows], np.inf) ** -2.0
    change = f.amplitude - 1
    return float(np.sum(weight * (value[rows] ** 2 - (value[rows] - change) ** 2)))


def _of_the_light(f: Finding) -> str:
    """The text of a finding without the steps that are excluded once it is of the light."""
    return f.text.replace(IN_BLOCK, BEFORE_DETECTOR).replace(UNSURE, "")


def _same_sign(a: Finding, b: Finding) -> bool:
    """Whether both gain or both lose."""
    middle = 1.0 if a.kind == "block-throughput" else 0.0
    return (a.amplitude > middle) == (b.amplitude > middle)


def _in_the_gaps(
    f: Finding, chain: Chain, levels: Mapping[str, Array], detector: Detector, bundle: int
) -> tuple[bool, str] | None:
    """Whether rows are in the image where no light is, and words about it; None if that cannot be measured."""
    assert chain.cross is not None and chain.disp is not None
    section = next((s for s in chain.sections if s.name == f.amplifier), None)
    gaps = None if section is None else gap_rows(detector, chain.cross, chain.disp, section, bundle)
    if section is None or gaps is None or not np.isfinite(gaps).any():
        return None
    start = int(section.disp[0])
    if "detector_rows" in f.detail:
        first, last = f.detail["detector_rows"]
        level, score = stands_out(gaps, first - start, last - start)
        return (score > SEEN_ERRORS and np.sign(level) == np.sign(f.amplitude), f"{level:+.1f} e, {score:.0f} sigma")
    own = levels.get(f.amplifier)
    if own is None:
        return None
    part = np.full(gaps.size, np.nan)
    there = own[start : start + gaps.size]
    part[: there.size] = there
    value, score = follows(gaps, part)
    if not np.isfinite(value):
        return None
    return value > SEEN and score > SEEN_ERRORS, f"correlation {value:.2f}, {score:.0f} sigma"


def _rows_told(f: Finding, seen: bool, words: str) -> Finding:
    said = "the detector image has it between the bundles, too" if seen else "between the bundles the image has it not"
    return replace(
        f, text=f"{f.text}; {said} ({words})", confidence=1.0 if seen else DOUBT * f.confidence,
        detail={**f.detail, "in_detector_image": bool(seen)},
    )  # fmt: skip


def _columns(f: Finding, wave: Array) -> slice:
    """Pixels of the wavelengths of a finding."""
    if f.wave_range is None:
        return slice(0, wave.size)
    first, last = np.searchsorted(wave, f.wave_range)
    return slice(int(first), int(last) + 1)


def _mask_told(f: Finding, share: float) -> Finding:
    """Data that the detector image lacks were lost before the extraction; those that it has were lost in it."""
    if not np.isfinite(share):
        return f
    lacks = share > MASKED
    step = "preproc" if lacks else "frame"
    what, whose = ("it", "its trace") if len(f.fibers) == 1 else ("them", "their traces")
    said = f"lacks {what}, too" if lacks else f"has {what}"
    text = f"{f.text}; the detector image {said} ({100 * share:.0f} % of the pixels on {whose} are masked)"
    return replace(f, first_step=step, text=text, detail={**f.detail, "masked_on_detector": round(share, 3)})


def _fibers_told(f: Finding, offsets: Array) -> Finding:
    """Light beside the traces: they moved; light on the traces: it was lost or added before the detector."""
    inside = np.zeros(offsets.size, bool)
    inside[list(f.fibers)] = True
    own, rest = offsets[inside & np.isfinite(offsets)], offsets[~inside & np.isfinite(offsets)]
    if not own.size or not rest.size:
        return f
    away = float(np.median(own) - np.median(rest))
    moved = abs(away) > MOVED
    said = (
        f"its light lies {away:+.2f} px beside the traces" if moved else f"its light is on the traces ({away:+.2f} px)"
    )
    step, text = ("trace", f.text.replace(IN_BLOCK, OFF_TRACES)) if moved else ("light", _of_the_light(f))
    return replace(f, first_step=step, text=f"{text}; {said}", detail={**f.detail, "off_trace": round(away, 3)})
