"""What is wrong with the spectra of one product: findings with fibers and wavelengths, and how much was judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Span = tuple[float, float]


class SpectraFault(StrEnum):
    """Causes that are looked for."""

    EMPTY = "without data"
    LOST = "without data in part"
    CONSTANT = "constant"
    BELOW = "below the sky"
    DARK = "dark"
    NOISY = "noisier than its errors"
    SKY_LEFT = "sky left"
    RUN = "a run deviates"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class SpectraFinding:
    """One fault.

    Parameters
    ----------
    fault : SpectraFault
    known : bool
        It may be right, or the file says so itself: it is worth a look.
    fibers : tuple of int
        Rows; () for all.
    wave : (first, last) or None
        Angstrom; None: at all wavelengths.
    amount : float
        In noise of a pixel; of NOISY and ERRORS: scatter over what the errors say.
    significance : float
        Sigma; inf: exact.
    """

    fault: SpectraFault
    known: bool
    fibers: tuple[int, ...]
    wave: Span | None
    amount: float
    significance: float


@dataclass(frozen=True, slots=True)
class SpectraVerdict:
    """The answer.

    Parameters
    ----------
    findings : tuple of SpectraFinding
        The worst first.
    nfiber, judged : int
        Fibers, and those with data enough to be judged.
    share : float
        Of the pixels of these, those that are known.
    not_asked : tuple of str
        Questions that could not be asked, with the reason.
    """

    findings: tuple[SpectraFinding, ...]
    nfiber: int
    judged: int
    share: float
    not_asked: tuple[str, ...] = ()
