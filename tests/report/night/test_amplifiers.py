"""The page about amplifiers: all numbers, the wrong ones first, text from outside escaped; and the JSON."""

from __future__ import annotations

import json

from ifuview.model.reduction.quality import AmplifierQuality, QualityNumber
from ifuview.model.verdict import VerdictState
from ifuview.report.night.amplifiers import as_json, page

NAN = float("nan")


def amplifier(name, noise, notes=()):
    numbers = (QualityNumber("readnoise", "read noise", noise, "electron", 4.5, 6.0),
               QualityNumber("temperature", "temperature", NAN, "C"))  # fmt: skip
    return AmplifierQuality("047", "308", "024", "VCTL0308", name, 20190822, 11, 2, numbers, notes)


ROWS = (amplifier("LL", 2.6), amplifier("LU", 5.0), amplifier("RU", 19.0, ("<b>noisy</b>",)))


def test_states_follow_the_limits():
    assert [one.state for one in ROWS] == [VerdictState.CLEAN, VerdictState.LOOK, VerdictState.WRONG]
    assert ROWS[0].numbers[1].state is VerdictState.NOT_JUDGED


def test_the_page_has_the_wrong_ones_first_and_escapes_what_is_not_its_own():
    text = page(ROWS, "Amplifiers", "1")
    at = [text.index(one.text) for one in ROWS]
    assert at == sorted(at, reverse=True)
    assert "<b>noisy" not in text and "&lt;b&gt;noisy" in text
    assert 'id="search"' in text and "read noise (e)" in text and ">19<" in text


def test_the_numbers_are_json_and_what_was_not_measured_is_null():
    rows = json.loads(as_json(ROWS))
    assert [one["state"] for one in rows] == ["clean", "look", "wrong"]
    assert rows[0]["numbers"]["readnoise"] == {
        "value": 2.6, "unit": "electron", "look": 4.5, "wrong": 6.0, "state": "clean",
    }  # fmt: skip
    assert rows[0]["numbers"]["temperature"]["value"] is None
    assert rows[2]["name"] == "20190822_0000011_exp02_308_047_024_RU"
