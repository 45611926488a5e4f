"""What a diagnosis is asked for, as names of files and words, and what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ifuview.errors import UsageError
from ifuview.exit_codes import FOUND, OK
from ifuview.inputs import read_toml
from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis
from ifuview.model.verdict import Verdict

PARTS = ("correlation", "impact", "crosstalk", "trouble")

FORMATS = ("html", "pdf", "png", "json")


@dataclass(frozen=True, slots=True)
class Request:
    """What to diagnose, with which files, and where to write; see `ifuview diagnose --help`."""

    image: str
    output: str
    traces: str | None = None
    wavelengths: str | None = None
    fibers: str | None = None
    reference: str | None = None
    thresholds: str | None = None
    only: tuple[str, ...] = ()
    formats: tuple[str, ...] = FORMATS
    swap: bool = False
    dispersion: str = ""  # "x" or "y": the axis of the image along which wavelength runs; as the file says


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A diagnosis, the numbers of metrics.json and the names of the files written."""

    diagnosis: TraceDiagnosis
    metrics: dict[str, Any]
    files: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """Exit code."""
        return FOUND if self.diagnosis.verdict is Verdict.FAIL else OK


MOST = 1e9  # of any limit


def read_limits(path: str | None) -> DoctorLimits | None:
    """Limits from a TOML file: names of DoctorLimits, at the top or under [limits]; None without a file.

    Raises
    ------
    UsageError, FileFormatError
        Unknown name, not a number, not TOML.
    """
    if path is None:
        return None
    tree = read_toml(path)
    values = tree.get("limits", tree)
    if not isinstance(values, dict):
        raise UsageError("its limits are no table of names and numbers", path, "write [limits] above them")
    known = {f.name for f in fields(DoctorLimits)}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"there is no limit {name!r}", path, f"choose of {', '.join(sorted(known))}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST:
            raise UsageError(f"the limit {name} is not a number of at least 0", path)
    return DoctorLimits(**{name: float(value) for name, value in values.items()})


def check_names(given: Sequence[str], allowed: Sequence[str], option: str) -> None:
    """Raise UsageError for a name that does not exist."""
    wrong = [name for name in given if name not in allowed]
    if wrong:
        raise UsageError(f"there is no {wrong[0]!r}", option, f"choose of {', '.join(allowed)}")
