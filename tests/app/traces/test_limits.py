"""Limits of the doctor: chosen ones count, then those of the instrument file, then the usual ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview.app.traces.limits import limits_for
from ifuview.errors import UnknownInstrumentError
from ifuview.instrument import catalog
from ifuview.instrument.load import load_instrument
from ifuview.model.traces.doctor import DoctorLimits

MINE = 'name = "mine"\n[match]\nheader = { INSTRUME = ["my-ifu"] }\n[limits]\nmode_warn_px = 0.5\n'


def test_an_instrument_has_limits_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "instruments"
    folder.mkdir()
    (folder / "mine.toml").write_text(MINE)
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    catalog.forget()
    try:
        assert limits_for({"INSTRUME": "MY-IFU"}) == DoctorLimits(mode_warn_px=0.5)
        assert limits_for({"INSTRUME": "MY-IFU"}, DoctorLimits()) == DoctorLimits()
        assert limits_for({"INSTRUME": "DESI"}) == DoctorLimits() == limits_for({})
    finally:
        monkeypatch.undo()
        catalog.forget()


@pytest.mark.parametrize(("line", "said"), [("size = 1", "no size"), ('kink_px = "x"', "kink_px is not a number")])
def test_a_limit_that_means_nothing_is_told(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\n[limits]\n{line}\n')
    with pytest.raises(UnknownInstrumentError, match=said):
        load_instrument(path)
