"""Whether an amplifier can be used, told by its read-out alone: before anything is reduced."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.model.reduction.ccd import ReadOut
from ifuview.model.verdict import VerdictState


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """From where on an amplifier wants a look, and is not to be used.

    Parameters
    ----------
    noise_look, noise_wrong : float, electrons
        Of the read-out.
    saturated_look, saturated_wrong : float
        Share of the pixels at the end of the range.
    """

    noise_look: float = 4.5
    noise_wrong: float = 6.0
    saturated_look: float = 0.005
    saturated_wrong: float = 0.5


@dataclass(frozen=True, slots=True)
class AmplifierHealth:
    """What is known of an amplifier from its read-out.

    Parameters
    ----------
    read : ReadOut
    state : VerdictState
    text : str
        What is unusual, else the numbers that were looked at.
    """

    read: ReadOut
    state: VerdictState
    text: str


def health(read: ReadOut, limits: HealthLimits | None = None) -> AmplifierHealth:
    """Return what the read-out of an amplifier says of its health."""
    limits = limits or HealthLimits()
    wrong: list[str] = []
    look: list[str] = []
    if read.problem:
        wrong.append(read.problem)
    if read.stuck and not read.problem:
        wrong.append(f"bit {', '.join(map(str, read.stuck))} of the converter does not change")
    if not np.isfinite(read.noise):
        wrong.append("the read noise is not known")
    elif read.noise > limits.noise_look:
        worse = read.noise > limits.noise_wrong
        above = _above(worse, f"{limits.noise_look:g}", f"{limits.noise_wrong:g}")
        (wrong if worse else look).append(f"the read noise is {read.noise:.1f} e ({above})")
    if read.saturated > limits.saturated_look:
        worse = read.saturated > limits.saturated_wrong
        above = _above(worse, f"{limits.saturated_look:.1%}", f"{limits.saturated_wrong:.0%}")
        (wrong if worse else look).append(f"{read.saturated:.1%} of the pixels are saturated ({above})")
    state = VerdictState.WRONG if wrong else VerdictState.LOOK if look else VerdictState.CLEAN
    text = "; ".join(wrong + look) or f"overscan {read.level:.1f} ADU, read noise {read.noise:.2f} e"
    return AmplifierHealth(read, state, text)


def _above(wrong: bool, look: str, limit: str) -> str:
    """The limit that was passed."""
    return f"wrong above {limit}" if wrong else f"look above {look}, wrong above {limit}"


def judged(read: ReadOut, limits: HealthLimits | None = None) -> ReadOut:
    """The read-out with its problem said, where its health forbids to use the amplifier."""
    found = health(read, limits)
    return replace(read, problem=read.problem or found.text) if found.state is VerdictState.WRONG else read
