"""The health of all amplifiers of raw exposures, as they are read one after the other: nothing is reduced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ifuview.engine.ccd.electrons import read_out
from ifuview.engine.ccd.health import AmplifierHealth, HealthLimits, health
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.instrument import instrument
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_read import read_frame
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import RawAmplifier, RawExposure
from ifuview.model.reduction.ccd import ReadOut
from ifuview.model.reduction.quality import AmplifierQuality, QualityNumber
from ifuview.model.verdict import VerdictState

NAN = float("nan")
UNREAD = ReadOut("", NAN, NAN, NAN, NAN, NAN)


@dataclass(frozen=True, slots=True, eq=False)
class SeenAmplifier:
    """One amplifier of one exposure, and what its read-out says.

    Parameters
    ----------
    exposure : RawExposure
    amplifier : RawAmplifier
    health : AmplifierHealth
        Of an amplifier that cannot be read: WRONG, and why.
    limits : HealthLimits
        That it was held against.
    """

    exposure: RawExposure
    amplifier: RawAmplifier
    health: AmplifierHealth
    limits: HealthLimits

    @property
    def line(self) -> str:
        """In one line: where, and what is wrong or what was measured."""
        one, of = self.amplifier, self.exposure
        where = f"{of.date} {of.observation:07d} exp{of.number:02d} {one.specid}_{one.slot}_{one.ifuid}_{one.name}"
        return f"{where}: {self.health.state}: {self.health.text}"


def amplifier_health(
    exposures: Iterable[RawExposure], name: str, limits: HealthLimits | None = None, ctx: JobContext = SILENT
) -> Iterator[SeenAmplifier]:
    """Yield the amplifiers of exposures with their health, each as soon as it is known.

    Parameters
    ----------
    exposures : iterable of RawExposure
    name : str
        Of the instrument.
    limits : HealthLimits, optional
    ctx : JobContext
    """
    limits = limits or limits_of(instrument(name))
    every = [(exposure, amplifier) for exposure in exposures for amplifier in exposure.amplifiers]
    for number, (exposure, amplifier) in enumerate(every):
        ctx.checkpoint(number / len(every), f"{amplifier.slot} {amplifier.name}")
        yield SeenAmplifier(exposure, amplifier, health_of(amplifier, name, limits), limits)


def health_below(
    path: str, kinds: Collection[str] = (), ctx: JobContext = SILENT
) -> tuple[list[SeenAmplifier], tuple[str, ...]]:
    """The amplifiers below a folder, in an archive or a file with their health, and what the search has noted.

    Parameters
    ----------
    path : str
    kinds : collection of str
        sci, twi ...; none: all.
    ctx : JobContext
    """
    night = index_night(path, ctx=ctx.part(0.0, 0.1))
    own = [e for e in night.exposures if not kinds or e.kind in kinds]
    found = amplifier_health(own, night.instrument, ctx=ctx.part(0.1, 1.0)) if own else ()
    return list(found), night.notes


def limits_of(spec: InstrumentSpec) -> HealthLimits:
    """The limits that an instrument file has for its amplifiers ([steps] amplifier_noise, amplifier_full)."""
    usual = HealthLimits()
    noise = spec.step_limits.get("amplifier_noise", (usual.noise_look, usual.noise_wrong))
    return HealthLimits(*noise, *spec.step_limits.get("amplifier_full", (usual.saturated_look, usual.saturated_wrong)))


def health_of(amplifier: RawAmplifier, name: str, limits: HealthLimits | None = None) -> AmplifierHealth:
    """The health of one amplifier; of one that cannot be read: wrong, and why."""
    problem = amplifier.problem
    if not problem:
        try:
            return read_health(amplifier, instrument(name), limits)
        except IfuviewError as error:
            problem = str(error)
    return AmplifierHealth(UNREAD, VerdictState.WRONG, problem)


def read_health(
    amplifier: RawAmplifier, spec: InstrumentSpec, limits: HealthLimits | None = None, ctx: JobContext = SILENT
) -> AmplifierHealth:
    """What the read-out of an amplifier says of its health; one level is enough for that.

    Raises
    ------
    IfuviewError
        It cannot be read.
    """
    raw = read_frame(amplifier, spec, ctx)
    dropped = 0 if spec.raw is None else spec.raw.dropped
    read, _ = read_out(
        raw.data, raw.overscan, gain=raw.gain, read_noise=raw.readnoise, amplifier=amplifier.name, by_row=False,
        dropped=dropped,
    )  # fmt: skip
    return health(read, limits or limits_of(spec))


def health_rows(seen: Iterable[SeenAmplifier]) -> tuple[AmplifierQuality, ...]:
    """Amplifiers as rows of the page and of the JSON about them."""
    return tuple(_row(one) for one in seen)


def _row(one: SeenAmplifier) -> AmplifierQuality:
    """One amplifier."""
    read, own, of, limits = one.health.read, one.amplifier, one.exposure, one.limits
    numbers = (
        QualityNumber("readnoise", "read noise", read.noise, "electron", limits.noise_look, limits.noise_wrong),
        QualityNumber("overscan", "overscan", read.level, "ADU"),
        QualityNumber("saturated", "share of saturated pixels", read.saturated if read.amplifier else NAN, "",
                      limits.saturated_look, limits.saturated_wrong),
    )  # fmt: skip
    problem = one.health.text if one.health.state is VerdictState.WRONG else ""
    return AmplifierQuality(
        own.slot, own.specid, own.ifuid, own.contid, own.name, of.date, of.observation, of.number, numbers,
        read.notes, problem,
    )  # fmt: skip
