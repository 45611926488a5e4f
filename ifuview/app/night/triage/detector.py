"""The detector image of a camera, read only where a finding cannot be told without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ifuview.app.night.triage.files import CameraFiles
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.model.night.triage import NotMeasured

if TYPE_CHECKING:
    from ifuview.engine.night.detector import Detector
    from ifuview.model.night.chain import Chain
    from ifuview.recipes.desi_qa import CameraTriage

NOISE = {f"OBSRDN{letter}": letter for letter in "ABCD"}  # header card of the measured read noise -> amplifier


def with_detector(
    found: CameraTriage, camera: CameraFiles, chain: Chain, ctx: JobContext = SILENT
) -> tuple[CameraTriage, tuple[str, ...]]:
    """What the detector image and its header add to the findings, and sentences about what could not be read."""
    from ifuview.engine.night.first_step import open_questions, told_apart, with_read_noise
    from ifuview.engine.night.questions.case import BUNDLE
    from ifuview.io.fits.head import head_cards

    asked = open_questions(found.findings)
    path = camera.files.get("preproc")
    if not asked:
        return found, ()
    if path is None:
        lacking = dict.fromkeys(NotMeasured(f.expid, f.camera, f"first step of {f.kind}", "preproc") for f in asked)
        return replace(found, not_measured=(*found.not_measured, *lacking)), ()
    cards = head_cards(path, NOISE)
    noise = {NOISE[name]: float(value) for name, value in cards.items() if isinstance(value, (int, float))}
    findings = with_read_noise(found.findings, noise)
    try:
        detector = read_detector(path, noise, ctx)
    except (IfuviewError, OSError) as problem:
        return replace(found, findings=tuple(findings)), (str(problem),)
    levels = {name.removeprefix("rows "): v for name, v in found.arrays.items() if name.startswith("rows ")}
    findings, lacking_now = told_apart(findings, chain, levels, detector, BUNDLE)
    return replace(found, findings=tuple(findings), not_measured=(*found.not_measured, *lacking_now)), ()


def read_detector(path: str, read_noise: dict[str, float], ctx: JobContext = SILENT) -> Detector:
    """Image and mask in canonical axes.

    Raises
    ------
    IfuviewError
        The file cannot be read.
    """
    from ifuview.app.frames.opening.reading import open_dataset
    from ifuview.engine.night.detector import Detector

    image = open_dataset(path, ctx).images[0]
    mask = None if image.mask is None else image.orientation.to_canonical(image.mask.native()) != 0
    return Detector(image.canonical(), mask, read_noise)
