"""Limits of a user: what is below them is not told, but counted; the rest stays."""

from __future__ import annotations

from pathlib import Path

from ifuview.app import verdict
from ifuview.app.night.amplifiers.health import limits_of
from ifuview.app.night.state import TriageState
from ifuview.app.night.triage.files import CameraFiles
from ifuview.app.night.triage.sum import Triaged, summed
from ifuview.app.session import Session
from ifuview.engine.ccd.health import HealthLimits
from ifuview.instrument import catalog, instrument
from ifuview.model.night.triage import Finding, TriageResult
from ifuview.recipes.desi_qa import CameraTriage

FOUND = (
    Finding(
        1, "r0", "isolated-fiber", "light", fibers=(3,), amplitude=0.93, unit="throughput / flat", significance=9.0
    ),
    Finding(
        1, "r0", "isolated-fiber", "light", fibers=(9,), amplitude=0.40, unit="throughput / flat", significance=9.0
    ),
    Finding(
        1, "r0", "isolated-fiber", "light", fibers=(12,), amplitude=0.4, unit="throughput / flat", significance=6.0
    ),
    Finding(1, "r0", "ccd-row", "preproc", fibers=(5,), amplitude=-3.0, unit="electron / Angstrom", significance=6.0),
)


def told() -> TriageResult:
    camera = CameraFiles(1, "r0", "desi")
    return summed([Triaged(camera, CameraTriage(FOUND, numbers={"judged": {"fibers": 500, "share": 1.0}}))], [], ())


def test_without_limits_everything_is_told(own_instruments: Path) -> None:
    result = told()
    assert len(result.findings) == 4 and not result.left_out and "left_out" not in result.as_dict()


def test_what_is_below_limits_is_counted_by_kind(own_instruments: Path) -> None:
    """Of a ratio the amount is how far it is off 1; a sign does not matter."""
    catalog.forget()
    text = "[triage]\nisolated-fiber = { sigma = 7.0, amount = 0.1 }\nccd-row = { amount = 2.0 }\n"
    (own_instruments / "desi.limits.toml").write_text(text)
    result = told()
    assert {(f.kind, f.fibers) for f in result.findings} == {("isolated-fiber", (9,)), ("ccd-row", (5,))}
    assert result.left_out == (("isolated-fiber", 2),) and result.as_dict()["left_out"] == {"isolated-fiber": 2}
    bar = verdict.make(Session(triage=TriageState(result)))
    assert bar is not None and "2 below own limits" in bar.judged


def test_amplifiers_of_raw_nights_have_limits_of_their_instrument(own_instruments: Path) -> None:
    assert limits_of(instrument("virus")) == HealthLimits()
    catalog.forget()
    (own_instruments / "virus.limits.toml").write_text("[steps]\namplifier_noise = [3.5, 5.0]\n")
    found = limits_of(instrument("virus"))
    assert (found.noise_look, found.noise_wrong) == (3.5, 5.0)
    assert found.saturated_wrong == HealthLimits().saturated_wrong
