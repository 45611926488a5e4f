"""The detector image of a camera, read only where a finding cannot be told without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.night.triage.files import CameraFiles
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.model.night.triage import NotMeasured

if TYPE_CHECKING:
    from ifuview.engine.night.image.detector import Detector
    from ifuview.model.night.chain import Chain
    from ifuview.recipes.desi_qa import CameraTriage


def with_detector(
    found: CameraTriage, camera: CameraFiles, chain: Chain, ctx: JobContext = SILENT, columns: bool = True
) -> tuple[CameraTriage, tuple[str, ...]]:
    """What the detector image and its header add to the findings, and sentences about what could not be read.

    Hot columns are looked for in it if `columns`: it tells what no spectrum does.
    """
    from ifuview.engine.night.image.first_step import open_questions, told_apart, with_read_noise
    from ifuview.engine.night.image.hot import columns_told
    from ifuview.engine.night.questions.case import BUNDLE
    from ifuview.instrument import instrument
    from ifuview.io.fits.head import head_cards

    asked = open_questions(found.findings)
    spec = instrument(camera.instrument)
    product = "detector image" if spec.chain is None else spec.chain.detector
    path = camera.files.get(product)
    columns &= path is not None and chain.cross is not None and chain.disp is not None
    if not asked and not columns:
        return found, ()
    if path is None:
        lacking = dict.fromkeys(NotMeasured(f.expid, f.camera, f"first step of {f.kind}", product) for f in asked)
        return replace(found, not_measured=(*found.not_measured, *lacking)), ()
    names = {amp.readnoise: amp.name for amp in spec.amplifiers}  # card of the measured noise -> amplifier
    noise = {names[card]: float(v) for card, v in head_cards(path, names).items() if isinstance(v, (int, float))}
    findings = with_read_noise(found.findings, noise)
    try:
        detector = read_detector(path, noise, ctx)
    except (IfuviewError, OSError) as problem:
        return replace(found, findings=tuple(findings)), (str(problem),)
    levels = {name.removeprefix("rows "): v for name, v in found.arrays.items() if name.startswith("rows ")}
    if columns:
        findings = columns_told(findings, chain, detector, camera.expid, camera.camera)
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
    from ifuview.engine.night.image.detector import Detector

    image = open_dataset(path, ctx).images[0]
    masks = [] if image.mask is None else [image.mask.native() != 0]
    masks += [] if image.ivar is None else [image.ivar.native() <= 0]
    bad = image.orientation.to_canonical(np.logical_or.reduce(masks)) if masks else None
    return Detector(image.canonical(), bad, read_noise)
