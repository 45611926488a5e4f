"""What the trace doctor finds: centroids of all fibers, modes, problem fibers, frame trouble and their effect.

How the values map to `metrics.json` (schema `ifuview.metrics/1`): `Mode` -> `spatial_patterns.modes`, `Correlation` ->
`spatial_patterns.correlation`, `FrameTrouble` -> `spatial_patterns.frame`, `Problem` -> `problem_fibers` and, where it
has an `x_range`, `wavelength_ranges`; `Impact` -> `extraction_impact`; `Crosstalk` -> `crosstalk`; `Advice` ->
`recommendations`; `TraceDiagnosis.global_metrics`, `per_fiber` and `noise_floor` go in under their own names, each with
its `_err`. NaN in an array and None in a field mean "not measured" and become null.

Sign: an offset is positive when the light lies at a larger cross-dispersion pixel than the trace file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ifuview.model.checks import Array
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.trace import TraceSet
from ifuview.model.verdict import Verdict

SCHEMA = "ifuview.metrics/1"
UNKNOWN = "no_known_shape"  # a mode that is none of the others: its map is the model's
UNTRACED = "untraced_light"  # lit fibers without a trace: the only frame trouble that the traces are to blame for
MASKED = "masked"  # without fibers: pixels here and there
UNTRACED_FAIL = 0.1  # of the number of traces

ROW = " [row "  # between name and row of a fiber

Range = tuple[float, float]


def fiber_labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names with the row of each fiber, where that is another number."""
    return tuple(name if name == str(row) else f"{name}{ROW}{row}]" for row, name in enumerate(names))


@dataclass(frozen=True, slots=True)
class DoctorLimits:
    """From where on a finding is reported; all can be set by the user.

    Parameters
    ----------
    mode_sigmas : float
        A mode is reported above this many sigma of its own error, which contains the scatter of the data.
    mode_warn_px, mode_fail_px : float, px
        A mode of this size (rms over the detector) is a warning or a failure.
    fiber_sigmas : float
        A problem of a single fiber must exceed this many sigma ...
    offset_px : float
        ... and its mean offset this size (kind "offset"), ...
    kink_px : float
        ... or a range of its columns this size (kind "kink").
    lost_px : float
        A range of columns farther from the light than this has lost it.
    swap_px : float
        A trace farther than this from its own light, on a neighbor's, is swapped, merged or shifted by one.
    dead_flux, low_flux : float
        Of the neighbors' flux: below it a fiber is dead or of low throughput.
    wide_ratio : float
        Width divided by that of the neighbors.
    contaminated_share : float
        Share of clipped pixels of a fiber that is called contaminated.
    """

    mode_sigmas: float = 4.0
    mode_warn_px: float = 0.02
    mode_fail_px: float = 0.1
    fiber_sigmas: float = 6.0
    offset_px: float = 0.1
    kink_px: float = 0.15
    lost_px: float = 1.2
    swap_px: float = 2.0
    dead_flux: float = 0.05
    low_flux: float = 0.70
    wide_ratio: float = 1.15
    contaminated_share: float = 0.10

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the limits, as a thresholds file writes them."""
        return tuple(f.name for f in fields(cls))


# patterns that change sign where the dispersion axis, or the one across the fibers, runs backwards
RISE_ALONG, RISE_ACROSS = ("rotation", "keystone", "s_curve"), ("scale", "keystone")


@dataclass(frozen=True, slots=True)
class Mode:
    """One pattern that many fibers share.

    Parameters
    ----------
    name : str
        "shift", "rotation", "scale", "keystone", "smile", "s_curve", "block_shift", "drift", "common_wiggle", UNKNOWN.
    amplitude_px : float
        At its largest on the detector; signed.
    sigma_px : float
        Error of the amplitude, the scatter that the model leaves included.
    significance : float
        |amplitude| / sigma.
    fibers : tuple of int
        Rows of the traces that it moves.
    x_range : (float, float), px
        Columns along dispersion.
    wave_range : (float, float), Angstrom, or None
    found : bool
        Whether it exceeds the limits.
    fitted : bool
        Whether it is part of the model of the corrected traces.
    text : str
    """

    name: str
    amplitude_px: float
    sigma_px: float
    significance: float
    fibers: tuple[int, ...]
    x_range: Range
    wave_range: Range | None = None
    found: bool = False
    fitted: bool = False
    text: str = ""

    def filed(self, axes: AxisWords) -> float:
        """The amplitude, px, as the file counts: positive to larger x or y, along its axes where the pattern rises."""
        lies = axes.orientation
        turned = (lies.flip_cross != (lies.flip_cross and self.name in RISE_ACROSS)) != (
            lies.flip_disp and self.name in RISE_ALONG
        )
        return -self.amplitude_px if turned else self.amplitude_px


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one fiber; `fiber` is its row in the traces."""

    fiber: int
    fiber_id: str
    kind: str
    amplitude_px: float | None
    amplitude_err: float | None
    significance: float | None
    x_range: Range
    wave_range: Range | None
    text: str
    verdict: Verdict = Verdict.FAIL


@dataclass(frozen=True, slots=True)
class FrameTrouble:
    """Trouble of the image that could be taken for a trace error; `amount` in `unit`, on canonical pixel ranges."""

    kind: str
    amount: float
    amount_err: float
    unit: str
    x_range: Range
    row_range: Range
    fibers: tuple[int, ...]
    text: str
    rows: tuple[float, ...] = ()  # px, positions of what is listed one by one


def untraced_words(count: int) -> str:
    """So many lit fibers without a trace."""
    return f"{count} lit fiber{' has' if count == 1 else 's have'} no trace"


def untraced_verdict(count: float, nfiber: int) -> Verdict:
    """What lit fibers without a trace mean: far more than there are traces for is a failure."""
    return Verdict.FAIL if count > UNTRACED_FAIL * nfiber else Verdict.WARN


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """What the residuals have in common after the modes are removed.

    Parameters
    ----------
    matrix : ndarray, shape (nfiber, nfiber)
        Correlation of the residuals over column bins; NaN where not measured.
    eigenvalues : ndarray, shape (m,)
        Of the correlation over column bins, largest first.
    edge : float
        Marchenko-Pastur: noise alone stays below.
    above : int
        Number of eigenvalues above the edge.
    distance, r, r_err : ndarray, shape (n,)
        Mean correlation of fibers that are this many fibers apart.
    block, sign, p_value : ndarray, shape (nblock,)
        Share of positive fiber means per block and how probable by chance.
    """

    matrix: Array
    eigenvalues: Array
    edge: float
    above: int
    distance: Array
    r: Array
    r_err: Array
    block: Array
    sign: Array
    p_value: Array


@dataclass(frozen=True, slots=True, eq=False)
class Impact:
    """What the measured offsets do to extracted spectra, shape (nfiber, nbin), as shares of the fiber's own flux.

    `*_loss` is against extraction on the right trace (`perfect_loss` is what the boxcar loses even there); `leak` is
    what comes in from both neighbors, `perfect_leak` on the right trace.
    """

    boxcar_loss: Array
    boxcar_loss_err: Array
    joint_loss: Array
    joint_loss_err: Array
    leak: Array
    leak_err: Array
    perfect_loss: Array
    perfect_leak: Array
    half_width: float


@dataclass(frozen=True, slots=True, eq=False)
class Crosstalk:
    """Share of a neighbor's flux that the extraction of a fiber contains, banded.

    Parameters
    ----------
    reach : ndarray, shape (n,)
        Row distance of the neighbor: -2, -1, 1, 2.
    boxcar, joint : ndarray, shape (nfiber, n)
        With the given traces; median over columns.
    """

    reach: Array
    boxcar: Array
    boxcar_err: Array
    joint: Array
    joint_err: Array


@dataclass(frozen=True, slots=True)
class Advice:
    """One recommendation: what, which action ("apply-correction", "mask", "re-trace", "inspect", ...), which fibers."""

    text: str
    action: str
    fibers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TraceDiagnosis:
    """All that the doctor found out about the traces of one image.

    Parameters
    ----------
    fiber_id : tuple of str
        As people read it: the name of the fiber and, where that is another number, its row: "3312 [row 312]".
    column : ndarray, shape (nbin,), px
        Centers of the column bins along dispersion.
    wave : ndarray, shape (nfiber, nbin), Angstrom, or None
    offset, offset_err : ndarray, shape (nfiber, nbin), px
        Light minus trace; NaN where not measured. The light is the fiber's own, also where the trace lies on another.
    model : ndarray, shape (nfiber, nbin), px
        What the fitted modes say about `offset`.
    correction : ndarray, shape (nfiber, nbin), px
        What the corrected traces add to the given ones.
    flux, flux_err : ndarray, shape (nfiber, nbin)
        Per column.
    width, width_err : ndarray, shape (nfiber, nbin), px
        Gaussian width of the profile.
    chi2 : ndarray, shape (nfiber, nbin)
        Reduced chi2 of the profile fit.
    block : ndarray of int, shape (nfiber,)
        Block of each fiber on the slit.
    global_metrics, noise_floor : mapping of str to float or None
        Each number with its `_err`.
    per_fiber : mapping of str to ndarray, shape (nfiber,)
        Each column with its `_err`.
    axes : AxisWords
        How its sentences call places.
    given, measured, corrected : TraceSet
        As in the file; where the light is; the given traces without what is significantly wrong.
    sentence : str
        The verdict in one sentence.
    """

    fiber_id: tuple[str, ...]
    column: Array
    wave: Array | None
    offset: Array
    offset_err: Array
    model: Array
    correction: Array
    flux: Array
    flux_err: Array
    width: Array
    width_err: Array
    chi2: Array
    block: Array
    modes: tuple[Mode, ...]
    problems: tuple[Problem, ...]
    trouble: tuple[FrameTrouble, ...]
    correlation: Correlation | None
    impact: Impact | None
    crosstalk: Crosstalk | None
    global_metrics: Mapping[str, float | None]
    per_fiber: Mapping[str, Array]
    noise_floor: Mapping[str, float | None]
    verdict: Verdict
    sentence: str
    advice: tuple[Advice, ...]
    given: TraceSet | None
    measured: TraceSet
    corrected: TraceSet
    limits: DoctorLimits = field(default_factory=DoctorLimits)
    axes: AxisWords = CANONICAL

    @property
    def nfiber(self) -> int:
        """Number of fibers."""
        return int(self.offset.shape[0])

    @property
    def file_id(self) -> tuple[str, ...]:
        """Fibers as the given traces number them, for files that programs read."""
        given = self.given
        return self.fiber_id if given is None or given.nfiber != self.nfiber else given.fiber_id

    def name(self, row: int) -> str:
        """The name of a fiber alone, for labels with little room."""
        return self.fiber_id[row].split(ROW)[0]

    @property
    def residual(self) -> Array:
        """Offset minus the fitted modes, px."""
        return self.offset - self.model

    @property
    def found_modes(self) -> tuple[Mode, ...]:
        """Modes above the limits, most significant first."""
        return tuple(sorted((m for m in self.modes if m.found), key=lambda m: -m.significance))
