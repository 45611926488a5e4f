"""What the verdict bar shows: of the photons or the night that is open, else of traces or spectra on the canvas."""

from __future__ import annotations

from ifuview.app.judging import of_night, of_raw_night, of_reduction
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import TRACE_KINDS, Session, Slot
from ifuview.model.image import Kind
from ifuview.model.verdict import VerdictState, VerdictView

JUDGED_KINDS = (Kind.DETECTOR, Kind.RSS)


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    photons = photon_frame(session)
    if photons is not None:
        return (photons.key, photons.title, photons.photons, session.judges)
    if of_reduction(session):
        return (session.reduction, session.current)
    if of_night(session):
        return (session.triage, session.health, session.night, session.current, session.selection.fiber)
    slot = session.slot()
    own = (None,) if slot is None else (
        slot.key, slot.image, slot.diagnosis, slot.traces, slot.health, slot.judged,
    )  # fmt: skip
    return (*own, session.problem, session.unjudged, session.judges)


def make(session: Session) -> VerdictView | None:
    """The bar; None: nothing on the canvas is judged, and there is no bar."""
    if photon_frame(session) is not None:
        from ifuview.app.photons.views import verdict as photons

        return photons.make(session)
    if of_reduction(session):
        from ifuview.app.night.views import reduction

        return reduction.make(session)
    if of_raw_night(session):
        from ifuview.app.night.views import health

        return health.make(session)
    if of_night(session):
        from ifuview.app.night.views import verdict as night

        return night.make(session)
    slot = session.slot()
    if slot is None:
        return None
    if slot.health is not None and slot.traces is None:
        from ifuview.app.night.views import health

        return health.of_one(slot.health)
    if slot.image.kind is Kind.RSS:
        from ifuview.app.spectra.views import verdict as spectra

        return spectra.make(session) or _not_asked(slot)
    if slot.traces is None or slot.image.kind is not Kind.DETECTOR:
        return _not_asked(slot)
    from ifuview.app.traces.views import verdict as traces

    return traces.make(session)


def _not_asked(slot: Slot) -> VerdictView | None:
    """The bar of spectra, traces and detector images that no test can look at as they are; None of other images."""
    kind = slot.image.kind
    if not slot.dataset.path or (kind not in JUDGED_KINDS and slot.dataset.kind not in TRACE_KINDS):
        return None
    from ifuview.instrument import instrument

    spec = instrument(slot.dataset.instrument)
    if slot.dataset.kind in TRACE_KINDS:
        why = "traces are judged by the light below them; open the detector image too"
    elif kind is Kind.DETECTOR and spec.chain is not None and spec.raw is None:
        why = "its traces are not known; open them with it"
    elif kind is Kind.RSS and spec.raw is not None:
        why = f"products of {spec.title} are judged while they are reduced; open the raw night"
    elif kind is Kind.RSS and spec.chain is not None and slot.dataset.kind in spec.chain.tiles:
        why = "these spectra are judged by the exposures that they were made of; open their production"
    elif kind is Kind.RSS and slot.image.ivar is None and not (spec.chain is not None and spec.chain.judged):
        why = "the spectra come without errors, so nothing can be told from noise"
    else:
        return None
    return VerdictView(VerdictState.NOT_JUDGED, f"not judged: {why}", asks=False)


def is_judging(session: Session) -> bool:
    """Whether what is on the canvas is being judged, or is about to be."""
    view = make(session)
    return view is not None and view.state is VerdictState.JUDGING
