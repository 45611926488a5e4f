"""Health of raw amplifiers: the bad one is named before anything is reduced, in words and as numbers."""

from __future__ import annotations

import json

import pytest

from ifuview import cli
from ifuview.app.night.amplifiers.health import amplifier_health, health_rows
from ifuview.exit_codes import BAD_INPUT, FOUND
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.model.inspection import VerdictState
from ifuview.simulate.het.heads import head_setup
from ifuview.simulate.het.night import Shot, write_night

SPEC = instrument("virus")


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Zero frames of a side: one amplifier is all zeros, the file of the other is cut short in the second."""
    root = tmp_path_factory.mktemp("raw")
    side = head_setup(SPEC, Tables("virus"), "047L", ("308", "047", "024"), 20190822)
    shots = (Shot(1, "zro", "zero", zero=("047LU",)), Shot(1, "zro", "zero", number=2))
    write_night(root, SPEC, [side], shots, 20190822, packing="")
    (cut,) = root.rglob("exp02/virus/*047LL*")
    cut.write_bytes(cut.read_bytes()[:60000])
    return root


def test_bad_amplifiers_are_named_and_the_others_are_clean(night):
    found = list(amplifier_health(index_night(str(night)).exposures, "virus"))
    states = {(one.exposure.number, one.amplifier.name): one.health for one in found}
    assert states[1, "LL"].state is VerdictState.CLEAN and states[2, "LU"].state is VerdictState.CLEAN
    assert states[1, "LU"].state is VerdictState.WRONG and "zero" in states[1, "LU"].text
    assert states[2, "LL"].state is VerdictState.WRONG and states[2, "LL"].text
    rows = {row.text: row.state for row in health_rows(found)}
    assert rows["20190822_0000001_exp01_308_047_024_LU"] is VerdictState.WRONG
    assert len(rows) == 4


def test_the_command_says_it_in_words_numbers_and_a_page(night, tmp_path, capsys):
    page, numbers = tmp_path / "p.html", tmp_path / "n.json"
    assert cli.main(["health", str(night), "-o", str(page), "--json", str(numbers)]) == FOUND
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "4 amplifiers, 2 wrong" and any("308_047_024_LU: wrong" in line for line in said)
    assert "308_047_024_LU" in page.read_text("utf-8")
    assert {row["state"] for row in json.loads(numbers.read_text("utf-8"))} == {"clean", "wrong"}


def test_a_folder_without_raw_frames_is_refused(tmp_path, capsys):
    assert cli.main(["health", str(tmp_path)]) == BAD_INPUT
    assert "no raw amplifiers" in capsys.readouterr().err
