"""Traces that were written are read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from ifuview import io
from ifuview.errors import UsageError
from ifuview.io.traces.write import write_traces
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

NFIBER, NCOL = 6, 90
CENTER = 5 + 10.0 * np.arange(NFIBER)[:, None] + 0.01 * np.arange(NCOL)
TRACES = TraceSet(
    fiber=np.arange(NFIBER),
    center=CENTER,
    wave=np.tile(4000 + 1.5 * np.arange(NCOL), (NFIBER, 1)),
    fiber_id=tuple(str(100 + i) for i in range(NFIBER)),
)


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv", ".json"])
@pytest.mark.parametrize("lies", [Orientation(), Orientation(transpose=True), Orientation(True, True, True)])
def test_every_form_comes_back(tmp_path: Path, suffix: str, lies: Orientation) -> None:
    path = tmp_path / f"t{suffix}"
    native = (NCOL, 70) if lies.transpose else (70, NCOL)
    write_traces(path, TRACES, lies, native)
    found = io.read_traces(path, lies.shape(native), lies)
    assert found.fiber_id == TRACES.fiber_id
    np.testing.assert_allclose(found.center, CENTER, atol=1e-4)  # four decimals in text
    np.testing.assert_allclose(found.wave, TRACES.wave, atol=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("suffix", "form"), [(".fits", "fits"), (".ecsv", "ascii.ecsv"), (".csv", "ascii.csv")])
def test_others_can_read_them(tmp_path: Path, suffix: str, form: str) -> None:
    path = tmp_path / f"t{suffix}"
    write_traces(path, TRACES)
    table = Table.read(path, format=form)
    assert table.colnames == ["fiber_id", "x_pixels", "y_pixels", "wavelength"]
    assert len(table) == NFIBER * NCOL and table["fiber_id"][0] == 100


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="xlsx"):
        write_traces(tmp_path / "t.xlsx", TRACES)
