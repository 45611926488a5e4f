"""Which calibrations count for a night: windows, their widening, controllers, lamps and units."""

from __future__ import annotations

from ifuview.engine.night.calibrations import calibrations
from ifuview.model.night.raw import RawAmplifier, RawExposure

UNIT = ("503", "056", "7001")


def exposure(date: int, kind: str = "twi", name: str = "", unit: tuple[str, str, str] = UNIT, problem: str = ""):
    amp = RawAmplifier("x", "uv", "LL", unit[1], unit[0], unit[2], problem=problem)
    return RawExposure(date, 1, 1, kind, name, amplifiers=(amp,))


def dates(found) -> list[int]:
    return [e.date for e in found.exposures]


def test_all_within_the_window_count_and_nothing_else():
    every = [exposure(d) for d in (20181120, 20181125, 20181201, 20181208, 20181209)] + [exposure(20181201, "cmp")]
    found = calibrations(every, "twi", "uv", 20181201, window=7)
    assert (dates(found), found.days, found.notes) == ([20181125, 20181201, 20181208], 7, ())


def test_the_window_is_widened_to_the_nearest_and_that_is_said():
    every = [exposure(d) for d in (20180901, 20181110, 20181222)]
    found = calibrations(every, "twi", "uv", 20181201, window=7)
    assert (dates(found), found.days) == ([20181110, 20181222], 21)
    assert found.notes == ("no twi of uv within 7 days of 20181201: the window is widened to 21",)
    assert calibrations([], "twi", "uv", 20181201, window=7).exposures == ()


def test_frames_of_other_controllers_or_units_never_count():
    every = [exposure(20240720), exposure(20240722), exposure(20240801, unit=("501", "056", "7001"))]
    found = calibrations(every, "twi", "uv", 20240725, window=7, swaps=(20240722,), unit=UNIT)
    assert dates(found) == []
    assert found.notes == ("3 twi exposures of uv are of other hardware and do not count",)
    assert dates(calibrations(every, "twi", "uv", 20240722, window=7, swaps=(20240722,), unit=UNIT)) == [
        20240720,
        20240722,
    ]


def test_lamps_by_name_and_amplifiers_that_can_be_used():
    every = [exposure(20181201, "cmp", name) for name in ("Hg_B", "FeAr_R", "odd")]
    every += [exposure(20181201, "cmp", "Hg_B", problem="is cut short")]
    found = calibrations(every, "cmp", "uv", 20181201, window=7, objects=("hg_b", "cd-a_b"))
    assert [e.object for e in found.exposures] == ["Hg_B"]


def test_frames_that_cannot_be_used_are_named():
    cut = RawAmplifier("", "uv", "LL", "056", *UNIT[::2], problem="is cut short")
    found = calibrations(
        [RawExposure(20240801, 2, 1, "twi", "skyflat", amplifiers=(cut,))], "twi", "uv", 20240801, window=1, unit=UNIT
    )
    assert not found.exposures and found.notes == ("skyflat: uv LL is cut short",)
