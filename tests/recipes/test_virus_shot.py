"""A whole observation recovers what was put in: sky, errors, pointing, optics, illumination, stars, cube."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.context import SILENT
from ifuview.engine.spectra.field.positions import sky_place
from ifuview.errors import UsageError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.params import changed
from ifuview.model.reduction.shot import ReducedIfu
from ifuview.model.reduction.solution import ShotSolution
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import Given, StepResult, ValueCache, run
from ifuview.recipes.virus import solution
from ifuview.recipes.virus.head import make_head_flux
from ifuview.recipes.virus.light import stars as light_stars
from ifuview.recipes.virus.light.sky import HeadSkyParams
from ifuview.recipes.virus.light.stars import SolutionParams
from ifuview.recipes.virus.quality import exposure_notes, head_findings, head_quality, uneven_amplifiers
from ifuview.recipes.virus.shot import FIRST, HEAD, SHOT
from ifuview.recipes.virus.shot_values import DITHERS, TURN, SimulatedSource
from ifuview.recipes.virus.solution import header_pointing
from ifuview.simulate.het.source import SkyTrail, fiber_points
from tests.recipes.virus_heads import BROKEN, DEC, FWHM, ILLUMINATION, OFF, PA, RA, STARS, Night, make_night

INNER = slice(20, 200)


@pytest.fixture(scope="module")
def night() -> Night:
    return make_night()


def _given(night: Night, slot: str, **more: object) -> dict[str, Given]:
    values = {"setup": night.setup, "exposures": night.heads[slot], **more}
    return {name: Given(value, f"{name} {slot}") for name, value in values.items()}


def _solve(night: Night, cache: ValueCache, catalog: bool = True) -> ShotSolution:
    heads = tuple(run(HEAD, _given(night, s), wanted=FIRST, cache=cache)["pictures"].value for s in night.heads)
    given = {"setup": Given(night.setup, "setup"), "heads": Given(heads, "heads"), "header": Given(night.header, "h")}
    if catalog:
        given["catalog"] = Given(night.catalog, "catalog")
    found = run(SHOT, given, cache=cache)["solution"].value
    assert isinstance(found, ShotSolution)
    return found


@pytest.fixture(scope="module")
def reduced(night: Night) -> tuple[ShotSolution, dict[str, ReducedIfu], dict[str, StepResult]]:
    cache = ValueCache()
    solution = _solve(night, cache)
    out, last = {}, {}
    source = SimulatedSource(4.0, 4.0, 1.7, night.setup.grid, np.full(night.setup.grid.size, 3.0))
    for slot in night.heads:
        more = {"solution": solution, "catalog": night.catalog, "source": source}
        last = run(HEAD, _given(night, slot, **more), cache=cache)
        assert isinstance(last["reduced"].value, ReducedIfu), [one.reason for one in last.values()]
        out[slot] = last["reduced"].value
    return solution, out, last


def _empty(night: Night, slot: str, field) -> np.ndarray:
    """Fibers without light of a star that can be used at all."""
    free = night.usable[slot] & field.spectra.usable()[:, INNER].any(axis=1)
    for x, y, _ in STARS[slot]:
        free &= np.hypot(field.x - x, field.y - y) > 7
    return free


def test_sky_is_recovered_in_spectrum_gradient_and_errors(night: Night, reduced) -> None:
    for slot, one in reduced[1].items():
        for field in one.spectra.fields:
            free = _empty(night, slot, field)
            good = field.spectra.usable()[free][:, INNER]
            left, sky = field.spectra.flux[free][:, INNER], field.sky[free][:, INNER]
            each = np.array([(a / b)[g].mean() for a, b, g in zip(left, sky, good)])
            assert abs(np.median(each)) < 0.002 and each.std() < 0.006
            truth = night.surface[slot, field.number][free, None] * night.sky[INNER]
            assert abs(np.median((sky / truth)[good]) - 1) < 0.012
            pull = (left / np.sqrt(field.spectra.variance[free][:, INNER]))[good]
            low, middle, high = np.percentile(pull, [15.87, 50, 84.13])
            assert 0.96 < (high - low) / 2 < 1.04 and abs(middle) < 0.05
            own = field.native
            pull = (own.flux / np.sqrt(own.variance))[free][:, INNER][own.usable()[free][:, INNER]]
            assert 0.97 < np.diff(np.percentile(pull, [15.87, 84.13]))[0] / 2 < 1.03


def test_broken_amplifier_is_masked_and_said_and_no_other(night: Night, reduced) -> None:
    for slot, one in reduced[1].items():
        for field in one.spectra.fields:
            for state in field.amplifiers:
                broken = (slot, state.name) == BROKEN
                assert bool(state.reason) == broken
                alive = night.usable[slot][state.fibers]
                lost = 1 - field.spectra.usable()[state.fibers][alive].mean()
                assert lost == 1.0 if broken else lost < 0.03


def test_pointing_optics_and_illumination_are_recovered(night: Night, reduced) -> None:
    solution, heads, _ = reduced
    assert solution.pointing.measured and solution.pointing.nstars >= 6
    assert abs(solution.pointing.ra_offset - OFF[0]) < 0.1 and abs(solution.pointing.dec_offset - OFF[1]) < 0.1
    for slot, one in heads.items():
        focal = night.setup.focal(slot)
        for field, (dx, dy) in zip(one.spectra.fields, DITHERS, strict=True):
            x, y = night.heads[slot][0].x + dx + focal[0], night.heads[slot][0].y + dy + focal[1]
            ra, dec = sky_place(x, y, RA / 15, DEC, 360 - (90 + PA + TURN))
            apart = np.hypot((field.ra - ra) * np.cos(np.radians(DEC)), field.dec - dec) * 3600
            assert np.median(apart) < 0.045
    assert abs(solution.optics.fwhm - FWHM) < 0.03
    found = np.array([one.illumination for one in solution.surveys])
    assert np.abs(found / found.mean() / (ILLUMINATION / ILLUMINATION.mean()) - 1).max() < 0.01


def test_two_stars_in_one_peak_move_neither_pointing_nor_seeing(monkeypatch) -> None:
    """The catalog knows of the second one: three of eight peaks are wider, and lie where no star is."""
    twins = {"047": ((-7.6, 7.1, 17.3), (10.3, -6.0, 17.9)), "046": ((3.8, 2.0, 17.6),)}
    night = make_night(6, fields={slot: (*STARS[slot], *twins[slot]) for slot in STARS})
    cache = ValueCache()
    found = _solve(night, cache)
    monkeypatch.setattr(solution, "MOVED", np.inf)
    plain = _solve(night, ValueCache())
    off = [max(_misplaced(night, one)) for one in (found, plain)]
    wide = [abs(one.optics.fwhm - FWHM) for one in (found, plain)]
    assert wide[0] < 0.03 < wide[1]
    assert off[0] < 0.06 < off[1]


def _misplaced(night: Night, found: ShotSolution) -> list[float]:
    """How far each head is from where it is, arcsec."""
    out = []
    for slot in night.heads:
        middle = [np.array([v]) for v in night.setup.focal(slot)]
        point = found.pointing
        ra, dec = sky_place(*middle, point.ra / 15, point.dec, point.turn)
        true = sky_place(*middle, RA / 15, DEC, 360 - (90 + PA + TURN))
        out.append(float(np.hypot((ra - true[0]) * np.cos(np.radians(DEC)), dec - true[1])[0]) * 3600)
    return out


def test_stars_have_their_flux_and_shape(night: Night, reduced) -> None:
    ratio = []
    for slot, one in reduced[1].items():
        for star in one.stars:
            n = int(np.argmin([np.hypot(star.x - x, star.y - y) for x, y, _ in STARS[slot]]))
            if not star.matched or star.caught < 0.7 or STARS[slot][n][2] > 20:
                continue
            assert np.hypot(star.x - STARS[slot][n][0], star.y - STARS[slot][n][1]) < 0.05
            part = (star.spectrum.flux / night.stars[slot][n])[INNER]
            ratio.append(np.median(part))
            chunks = np.array([c.mean() for c in np.array_split(part, 9)])
            assert (chunks / np.median(chunks)).std() < 0.015
            assert abs(star.synthetic - star.magnitude[0]) < 0.05
    assert len(ratio) >= 5
    assert abs(np.median(ratio) - 1) < 0.015 and np.std(ratio) < 0.02


def test_cube_holds_the_flux_of_stars_and_of_a_source_put_in(night: Night, reduced) -> None:
    one = reduced[1]["047"]
    x, y = np.meshgrid(one.cube.grid.x, one.cube.grid.y)
    for n in (0, 1, 2):
        sx, sy, _ = STARS["047"][n]
        near = np.hypot(x - sx, y - sy) < 5
        total = (one.cube.data * (one.cube.mask == 0))[:, near].sum(axis=1)
        assert abs(np.median((total / night.stars["047"][n])[INNER]) - 1) < 0.03
    more = (reduced[2]["simulated"].value.data - reduced[1]["046"].cube.data)[:, np.hypot(x - 4, y - 4) < 5]
    assert abs(np.median(more.sum(axis=1)[INNER]) / 3.0 - 1) < 0.03


def test_without_catalog_places_are_the_headers_and_it_is_said(night: Night) -> None:
    found = _solve(night, ValueCache(), catalog=False)
    assert not found.pointing.measured and any("catalog" in note for note in found.notes)
    assert found.surveys[0].zero_point == 1.0
    assert abs(found.optics.fwhm - FWHM) < 0.03  # stars tell it all the same


def test_sky_of_another_head_serves_where_it_is_asked_for(night: Night) -> None:
    other = run(HEAD, _given(night, "046"), wanted=("flux",))["flux"].value
    given = {**_given(night, "047"), "others": Given((other,), "046")}
    params = {"first_sky": changed(HeadSkyParams(), "first_sky", source="others")}
    found = run(HEAD, given, params, wanted=("first_sky",))["first_sky"].value
    for n, sky in enumerate(found.skies):
        grid = night.heads["047"][n].spectra.wave
        own = np.stack([np.interp(w, night.setup.grid, night.sky) for w in grid]) * ILLUMINATION[n]
        truth = own * night.surface["047", n + 1][:, None]
        ratio = (sky.sky.model / truth)[:, INNER]
        assert abs(np.median(ratio) - 1) < 0.012
    assert any("046" in note for note in found.notes)


def test_dithers_of_two_exposures_are_found_on_the_stars(night: Night) -> None:
    two = replace(night, heads={slot: exposures[:2] for slot, exposures in night.heads.items()})
    found = _solve(two, ValueCache())
    assert np.hypot(found.surveys[1].x - DITHERS[1][0], found.surveys[1].y - DITHERS[1][1]) < 0.03
    assert found.pointing.measured and any("ithers" in note for note in found.notes)
    ratio = found.surveys[1].illumination / found.surveys[0].illumination
    assert abs(ratio / (ILLUMINATION[1] / ILLUMINATION[0]) - 1) < 0.015


def test_dithers_that_have_not_settled_when_the_turns_end_are_those_that_were_fitted(night: Night, monkeypatch) -> None:
    monkeypatch.setattr(light_stars, "TURNS", 1)
    monkeypatch.setattr(light_stars, "SETTLED", -1.0)
    two = replace(night, heads={slot: exposures[:2] for slot, exposures in night.heads.items()})
    found = _solve(two, ValueCache())
    assert np.hypot(found.surveys[1].x - DITHERS[1][0], found.surveys[1].y - DITHERS[1][1]) < 0.03


def test_exposures_without_dither_and_headers_without_pointing_are_said(night: Night) -> None:
    flux = make_head_flux(HEAD.step("flux").params, SILENT, night.setup, night.heads["047"][:2])
    assert not flux.dither.any() and any("dither" in note for note in flux.notes)
    nowhere = header_pointing(SolutionParams(), {"TRAJCRA": "none"})
    assert not nowhere.known and header_pointing(SolutionParams(ra=10.0, dec=2.0), {"PARANGLE": 150.0}).known
    with pytest.raises(UsageError):
        make_head_flux(HEAD.step("flux").params, SILENT, night.setup, ())


def test_dead_amplifier_keeps_its_bits(night: Night) -> None:
    one = night.heads["047"][0]
    gone = tuple(replace(a, read=None, problem="all zero") if a.name == "RU" else a for a in one.amplifiers)
    flux = make_head_flux(HEAD.step("flux").params, SILENT, night.setup, (replace(one, amplifiers=gone),))
    part = one.amplifier("RU").fibers
    assert ((flux.flux[0].mask[part] & int(ReductionBit.AMPLIFIER)) != 0).all()
    assert flux.reasons[0][3] == "all zero"


def _without_last_detector(one: IfuExposure) -> IfuExposure:
    """As an exposure comes of which one detector was not written."""
    half = one.nfiber // 2
    parts = {name: getattr(one.spectra, name)[:half] for name in ("flux", "variance", "mask", "wave")}
    return replace(
        one, spectra=FiberSpectra(**parts, unit=one.spectra.unit), fiber_flat=one.fiber_flat[:half], x=one.x[:half],
        y=one.y[:half], dead=one.dead[:half], amplifiers=one.amplifiers[:2],
    )  # fmt: skip


def test_a_detector_that_is_missing_in_one_exposure_is_masked_there_only(night: Night) -> None:
    first, second, third = night.heads["047"]
    given = {
        **_given(night, "047"),
        "exposures": Given((first, _without_last_detector(second), third), "two and a half"),
    }
    found = run(HEAD, given, wanted=FIRST)
    flux = found["flux"].value
    assert flux.reasons[1] == ("", "", "it is missing", "it is missing") and flux.reasons[0] == ("",) * 4
    half = first.nfiber // 2
    assert not flux.flux[1].usable()[half:].any() and flux.flux[2].usable()[half:].any()
    assert len(found["pictures"].value.peaks) == len(STARS["047"])


def test_a_satellite_is_masked_in_its_exposure_and_said(night: Night) -> None:
    first, second, third = night.heads["047"]
    one = second.spectra
    x, y = second.x + DITHERS[1][0], second.y + DITHERS[1][1]
    trail = 1e17 * SkyTrail(2.0, -3.0, 30.0, 6e-17, FWHM).light(x, y, np.array([4800.0]), *fiber_points(1.5, 0.75))
    sky = np.interp(one.wave, night.setup.grid, night.sky)
    light = one.flux * (1 + trail / sky)
    seen = replace(second, spectra=replace(one, flux=light, variance=one.variance * light / one.flux))
    flux = run(HEAD, {**_given(night, "047"), "exposures": Given((first, seen, third), "trail")}, wanted=("response",))
    found = flux["response"].value
    below = [((own.mask & int(ReductionBit.TRAIL)) != 0).any(axis=1) for own in found.flux]
    assert not below[0].any() and not below[2].any()
    assert below[1][trail[:, 0] > 0.01 * 4.0].all() and below[1].mean() < 0.5
    assert any("exposure 2: a trail crosses the head" in note for note in found.notes)


def test_what_is_wrong_with_a_head_is_said_once_for_each_cause(reduced) -> None:
    slot, name = BROKEN
    heads = {slot: one.spectra for slot, one in reduced[1].items()}
    (text,) = head_findings(heads[slot], ())
    assert text.startswith(f"{slot} {name} is not used in exposures 1-3: ")
    assert head_findings(heads["047"], ()) == ()
    field = heads["047"].fields[1]
    mask = np.array(field.spectra.mask)
    mask[10:15] |= np.uint32(int(ReductionBit.TRAIL))
    fields = tuple(replace(f, spectra=replace(f.spectra, mask=mask)) if f is field else f for f in heads["047"].fields)
    assert head_findings(replace(heads["047"], fields=fields), ()) == ("047, exposure 2: 5 fibers are below a trail",)


def test_an_amplifier_brighter_than_the_others_in_all_exposures_is_noticed(night: Night) -> None:
    one = night.heads["047"]
    assert uneven_amplifiers(one) == {}  # stars are in single fibers
    own = one[0].amplifier("LU").fibers

    def brighter(exposure: IfuExposure) -> IfuExposure:
        flux = np.array(exposure.spectra.flux)
        flux[own] *= 2
        return replace(exposure, spectra=replace(exposure.spectra, flux=flux))

    found = uneven_amplifiers(tuple(brighter(exposure) for exposure in one))
    assert list(found) == ["LU"] and abs(found["LU"] / 2 - 1) < 0.05
    assert uneven_amplifiers((brighter(one[0]), *one[1:])) == {}


def test_what_is_noted_of_all_exposures_is_said_once(reduced) -> None:
    head = reduced[1]["047"].spectra
    notes = (
        ("047L LL of 0000011 exp01: no gain", "exposure 1: a trail", "the sky lies +0.1 px off"),
        ("047L LL of 0000011 exp02: no gain", "exposure 1: a trail"),
        ("047L LL of 0000011 exp03: no gain", "exposure 1: a trail", "the sky lies +0.1 px off"),
    )
    fields = tuple(replace(field, notes=own) for field, own in zip(head.fields, notes, strict=True))
    assert exposure_notes(replace(head, fields=fields)) == (
        "047L LL: no gain", "047: a trail (exposure 1)", "047: the sky lies +0.1 px off (exposures 1, 3)",
    )  # fmt: skip


def test_calibrations_of_another_time_are_noticed_from_the_light(night: Night, reduced) -> None:
    rng = np.random.default_rng(8)
    change = np.clip(1 + 0.25 * rng.normal(size=(night.heads["047"][0].nfiber, 1)), 0.5, 1.5).astype(np.float32)
    exposures = tuple(replace(one, fiber_flat=one.fiber_flat * change) for one in night.heads["047"])
    steps = run(HEAD, {**_given(night, "047"), "exposures": Given(exposures, "other")}, wanted=FIRST)
    reason = next(one.reason for one in steps.values() if one.value is None)
    assert "the calibrations are of another time or head: the response of fibers differs by" in reason
    head = reduced[1]["047"].spectra
    states = [one.state for one in head_quality(night.heads["047"], head, reduced[0])]
    assert VerdictState.WRONG not in states  # those of this time are right
    changed = [replace(one, fiber_flat=one.fiber_flat * (1 + 0.25 * (change - 1))) for one in night.heads["047"]]
    wrong = head_findings(head, head_quality(changed, head, reduced[0]))
    assert len(wrong) == 4 and all("change of the fibers' response since the twilight 0.0" in text for text in wrong)
