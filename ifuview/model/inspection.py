"""What one click on a fiber gives: cross-section, spectrum and trace quality, each with its errors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ifuview.model.checks import Array, brief


class Verdict(StrEnum):
    """Outcome of a comparison with a limit; "not measured" is neither a pass nor a zero."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_MEASURED = "not-measured"


@dataclass(frozen=True, slots=True, eq=False)
class ProfileComponent:
    """The fitted light of one fiber in a cross-section.

    Parameters
    ----------
    fiber_id : str
    center, center_err : float, px
        Measured on the image.
    flux, flux_err : float
    sigma : float, px
    model : ndarray, shape (npix,)
        Counts of this fiber in each pixel of the cross-section.
    """

    fiber_id: str
    center: float
    center_err: float
    flux: float
    flux_err: float
    sigma: float
    model: Array

    def __repr__(self) -> str:
        return brief(self, f"fiber {self.fiber_id}", f"center {self.center:.2f}", f"flux {self.flux:.4g}")


@dataclass(frozen=True, slots=True, eq=False)
class CrossSection:
    """Counts across the fibers at one column, or the running median of a few.

    Parameters
    ----------
    position : ndarray, shape (npix,), px
        Cross-dispersion pixel, canonical axes.
    counts : ndarray, shape (npix,), `unit`
    error : ndarray or None
    masked : ndarray of bool, shape (npix,)
    column : int
        Dispersion pixel.
    ncolumns : int
        Columns that the median was taken over.
    trace : float, px
        Where the trace says the fiber is; NaN without a trace.
    aperture : (float, float), px
        Lower and upper edge of the extraction aperture.
    model : ndarray or None
        Sum of all components, of what reaches in from beside them, and the background.
    background : ndarray or None
        Fitted level below the fibers.
    components : tuple of ProfileComponent
        The fiber and its neighbors.
    chi2 : float
        Reduced chi2 of the model, NaN without one.
    """

    position: Array
    counts: Array
    error: Array | None
    masked: Array
    column: int
    ncolumns: int = 1
    trace: float = float("nan")
    aperture: tuple[float, float] = (float("nan"), float("nan"))
    model: Array | None = None
    components: tuple[ProfileComponent, ...] = ()
    chi2: float = float("nan")
    unit: str = ""
    background: Array | None = None

    def __repr__(self) -> str:
        return brief(
            self, f"column {self.column}", f"{len(self.position)} px", f"{len(self.components)} fibers", self.unit
        )


@dataclass(frozen=True, slots=True, eq=False)
class FiberSpectrum:
    """One extracted spectrum.

    Parameters
    ----------
    fiber_id : str
    pixel : ndarray, shape (n,)
        Dispersion pixel.
    wave : ndarray, Angstrom, or None
    flux : ndarray, shape (n,), `unit`
    error : ndarray or None
        1 sigma; inf or NaN where nothing is known.
    masked : ndarray of bool, shape (n,)
    method : str
        "row" (already extracted), "boxcar" or "optimal".
    label : str
        Which frame it comes from.
    arm : str
        Which of several arms of the frame, "" if there is only one.
    """

    fiber_id: str
    pixel: Array
    wave: Array | None
    flux: Array
    error: Array | None
    masked: Array
    method: str = "row"
    unit: str = ""
    label: str = ""
    arm: str = ""

    def __repr__(self) -> str:
        return brief(
            self, f"fiber {self.fiber_id}", f"{len(self.flux)} px", self.method, self.unit, self.label, self.arm
        )


@dataclass(frozen=True, slots=True, eq=False)
class TraceQuality:
    """Measured centroid minus trace along one fiber, judged against the noise.

    Parameters
    ----------
    fiber_id : str
    column : ndarray, shape (m,), px
        Centers of the column bins.
    offset, offset_err : ndarray, shape (m,), px
        Centroid measured on the image minus the trace, NaN where not measured.
    sigma, sigma_err : ndarray, shape (m,), px
        Profile width.
    flux, flux_err : ndarray, shape (m,)
        Per column.
    chi2 : ndarray, shape (m,)
        Reduced chi2 of the profile fit.
    spacing_below, spacing_above : ndarray, shape (m,), px
        Measured distance to the neighbors, NaN at the ends.
    mean_offset, mean_offset_err : float, px
        Weighted mean of `offset`.
    shape_chi2, shape_dof : float, int
        chi2 of `offset` after the mean is removed, about its own errors.
    significance : float
        The larger of |mean_offset| / err and the normal deviate of shape_chi2.
    floor : float, px
        Cramer-Rao bound of one bin, median.
    verdict : Verdict
    text : str
        The verdict in words, with numbers.
    """

    fiber_id: str
    column: Array
    offset: Array
    offset_err: Array
    sigma: Array
    sigma_err: Array
    flux: Array
    flux_err: Array
    chi2: Array
    spacing_below: Array
    spacing_above: Array
    mean_offset: float
    mean_offset_err: float
    shape_chi2: float
    shape_dof: int
    significance: float
    floor: float
    verdict: Verdict
    text: str

    def __repr__(self) -> str:
        return brief(self, f"fiber {self.fiber_id}", self.verdict.value, self.text)


@dataclass(frozen=True, slots=True, eq=False)
class FiberInspection:
    """All that the docks show for the selected fiber of one image."""

    slot: int
    fiber: int
    fiber_id: str
    column: int
    section: CrossSection | None = None
    spectra: tuple[FiberSpectrum, ...] = ()
    quality: TraceQuality | None = None
    note: str = ""


# the answer that the window gives before anything is pressed: verdict, problems by cause, chain of steps


class VerdictState(StrEnum):
    """What is known of the whole, or of one step of it."""

    WRONG = "wrong"
    LOOK = "look"
    CLEAN = "clean"
    JUDGING = "judging"
    NOT_JUDGED = "not judged"


# behind white letters, and on paper; any two differ by 0.07 (OKLab) for a deuteranope and a protanope, too
VERDICT_COLORS = {
    VerdictState.WRONG: "#cf3b30",
    VerdictState.LOOK: "#664800",
    VerdictState.CLEAN: "#1a7f4e",
    VerdictState.JUDGING: "#2a5fa8",
    VerdictState.NOT_JUDGED: "#585d63",
}
VERDICT_INK = {  # the same as letters on a light and on a dark window
    VerdictState.WRONG: ("#b02a20", "#ff8a7a"),
    VerdictState.LOOK: ("#664800", "#f2c14e"),
}
VERDICT_SIGNS = {  # they say the same
    VerdictState.WRONG: "\u2718",
    VerdictState.LOOK: "\u25b2",
    VerdictState.CLEAN: "\u2714",
    VerdictState.JUDGING: "\u2026",
    VerdictState.NOT_JUDGED: "?",
}


def as_state(verdict: Verdict) -> VerdictState:
    """What a comparison with limits says, in the words that stand for every kind of judgement."""
    return {
        Verdict.FAIL: VerdictState.WRONG, Verdict.WARN: VerdictState.LOOK, Verdict.PASS: VerdictState.CLEAN,
        Verdict.NOT_MEASURED: VerdictState.NOT_JUDGED,
    }[verdict]  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerdictProblem:
    """Findings of one cause, wherever they were seen.

    Parameters
    ----------
    state : VerdictState
        WRONG, or LOOK for what is known already or no fault.
    step : str
        The first that is wrong, for people.
    headline : str
        What, where, at which wavelengths.
    detail : str
        Which fibers, how much, how sure.
    members : tuple of int
        Numbers of its findings, the clearest first.
    """

    state: VerdictState
    step: str
    headline: str
    detail: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChainCell:
    """One step of the data's flow.

    Parameters
    ----------
    key : str
        Product or step, as an intent names it.
    title : str
    state : VerdictState
    first : bool
        The first step that is wrong.
    there : bool
        Whether there is something to show.
    shown : bool
        Whether it is on the canvas.
    hint : str
        Why it is in that state.
    """

    key: str
    title: str
    state: VerdictState
    first: bool = False
    there: bool = True
    shown: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class VerdictView:
    """Everything on the verdict bar and the chain strip.

    Parameters
    ----------
    state : VerdictState
    headline, detail : str
        Of the problem that is shown; else what was judged.
    judged : str
        How much the verdict rests on, and how much was not asked.
    unasked : str
        What was not asked, with the reasons; lines.
    problems : tuple of Problem
        The worst first.
    problem : int
        Which of them is shown; -1 for none.
    chain : tuple of ChainCell
    fraction : float or None
        How much is judged while it is being judged.
    proof, report : bool
        Whether there are two pictures to blink, and a report to write.
    dock : str
        Key of the dock that lists the problems, "" for none.
    more : tuple of (words, what is asked for)
        What else can be looked at of the problem.
    asks : bool
        Whether there is a test that can be begun.
    """

    state: VerdictState
    headline: str
    detail: str = ""
    judged: str = ""
    unasked: str = ""
    problems: tuple[VerdictProblem, ...] = ()
    problem: int = -1
    chain: tuple[ChainCell, ...] = ()
    fraction: float | None = None
    proof: bool = False
    report: bool = False
    dock: str = "triage"
    more: tuple[tuple[str, tuple[object, ...]], ...] = ()
    asks: bool = True
