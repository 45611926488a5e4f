"""Spectra of a tile with redshifts that few objects have, from one line of the menu."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import verdict as verdict_view
from tests.gui.night.test_first_look import night  # noqa: F401
from tests.gui.windows import TIMEOUT, settle, window


def test_far_redshifts_come_with_their_fibers_and_their_median_spectrum(
    qtbot: QtBot,
    night: Path,  # noqa: F811
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    for path in (shared_data / "desi" / "tiles").rglob("*-6-7951-*"):
        target = night / path.relative_to(shared_data / "desi")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path)
    with window(qtbot, str(night), judges=True) as shell:
        session = lambda: shell.store.session  # noqa: E731
        lines = dict(verdict_view.make(session()).more)
        (asked,) = next(intents for words, intents in lines.items() if words.startswith("Spectra with Z>4"))
        shell.controller.handle(asked)
        qtbot.waitUntil(lambda: any("chosen by Z>4" in m.text for m in session().messages), timeout=TIMEOUT)
        settle(qtbot, shell)
        assert session().slot().title.startswith("coadd-6-7951")
        redshift = next(t.table.columns["Z"] for t in session().tables if "Z" in t.table.columns)
        assert session().selection.fibers == tuple(np.flatnonzero(np.asarray(redshift) > 4))
        assert shell.window.docks["tables"].isVisible() and shell.window.docks["spectrum"].isVisible()
        assert "Median of" in session().gathered.title
        spectra = {s.wave.mean(): s for s in session().gathered.spectra}
        red = spectra[min(spectra, key=lambda wave: abs(wave - 6700))]
        dip = (red.wave > 6500) & (red.wave < 6640)
        assert np.median(red.flux[dip]) < np.median(red.flux) - 5 * np.std(red.flux[red.wave > 7000])
