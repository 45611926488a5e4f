"""What is known of an amplifier as numbers with limits, for a page and for trends over nights."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.verdict import VerdictState


@dataclass(frozen=True, slots=True)
class QualityNumber:
    """One number.

    Parameters
    ----------
    name : str
        As in files.
    title : str
        For people.
    value : float
        NaN: not measured.
    unit : str
    look, wrong : float
        From where on it wants a look, and is wrong; NaN: it is not judged.
    """

    name: str
    title: str
    value: float
    unit: str = ""
    look: float = float("nan")
    wrong: float = float("nan")

    @property
    def state(self) -> VerdictState:
        """What the number says; without a value or limits it says nothing."""
        if self.value != self.value or self.look != self.look:
            return VerdictState.NOT_JUDGED
        if abs(self.value) >= self.wrong:
            return VerdictState.WRONG
        return VerdictState.LOOK if abs(self.value) >= self.look else VerdictState.CLEAN


@dataclass(frozen=True, slots=True)
class AmplifierQuality:
    """All numbers of one amplifier.

    Parameters
    ----------
    slot, specid, ifuid, contid, amplifier : str
    date, observation, exposure : int
        0 where it is of calibrations.
    numbers : tuple of QualityNumber
    notes : tuple of str
    problem : str
        Why it is wrong as a whole, "" if it is not.
    """

    slot: str
    specid: str
    ifuid: str
    contid: str
    amplifier: str
    date: int
    observation: int
    exposure: int
    numbers: tuple[QualityNumber, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def state(self) -> VerdictState:
        """The worst of its numbers."""
        states = {one.state for one in self.numbers}
        if self.problem or VerdictState.WRONG in states:
            return VerdictState.WRONG
        return VerdictState.LOOK if VerdictState.LOOK in states else VerdictState.CLEAN

    @property
    def text(self) -> str:
        """As people name it."""
        unit = "_".join((self.specid, self.slot, self.ifuid, self.amplifier))
        if not self.observation:
            return f"{self.date}_{unit}" if self.date else unit
        return f"{self.date}_{self.observation:07d}_exp{self.exposure:02d}_{unit}"
