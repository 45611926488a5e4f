"""Units of files as people read them: one spelling of one unit, what is none of them as it is."""

from __future__ import annotations

import pytest

from ifuview.app.frames.views.text import axis, quantity
from ifuview.model.frames.units import sentence, unit_words

PER_ANGSTROM = (
    "electron/Angstrom",
    "electron / Angstrom",
    "electrons/AA",
    "electron/angstrom",
    "electron/A",
    "e/\u00c5",
)
CALIBRATED = (
    "10**-17 erg/(s cm2 Angstrom)", "1e-17 erg / (s cm**2 Angstrom)", "10^-17 erg/(s cm^2 AA)",
    "1E-17 erg/(s cm2 Ang)", "1E-17 erg/(s cm2 Angstroem)", "10**(-17)*erg/(s cm2 Angstrom)",
)  # fmt: skip


@pytest.mark.parametrize(("spellings", "read"), [(PER_ANGSTROM, "e/\u00c5"), (CALIBRATED, "10⁻¹⁷ erg/(s cm² \u00c5)")])
def test_all_spellings_of_a_unit_are_read_as_one(spellings: tuple[str, ...], read: str) -> None:
    assert {unit_words(one) for one in spellings} == {read}
    assert unit_words(read) == read
    assert axis("Flux", spellings[0]) == f"Flux ({read})" and quantity(3.0, spellings[0]) == f"3 {read}"


@pytest.mark.parametrize(
    ("unit", "read"),
    [
        ("1e-20 erg s-1 cm-2 Angstrom-1", "10⁻²⁰ erg s⁻¹ cm⁻² \u00c5⁻¹"),
        ("10**+17 cm2 count s / erg", "10¹⁷ cm² count s/erg"),
        ("electron Angstrom^-1", "e \u00c5⁻¹"),
        ("mJy/arcsec2", "mJy/arcsec²"),
    ],
)
def test_powers_are_raised(unit: str, read: str) -> None:
    assert unit_words(unit) == read


@pytest.mark.parametrize("unit", ["", "electronic", "adu", "DN/s", "photons/s", "px", "MJy/sr", "H2O", "v1.2", "A2029"])
def test_what_needs_no_other_spelling_stays(unit: str) -> None:
    assert unit_words(unit) == unit


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (
            "deviate by up to 75 e/A at 6352-6879 A: the sky",
            "deviate by up to 75 e/\u00c5 at 6352-6879 \u00c5: the sky",
        ),
        ("rows 3-40 of amplifier A (6364.8 A)", "rows 3-40 of amplifier A (6364.8 \u00c5)"),
        ("the level jumps by +3 e/A from amplifier A", "the level jumps by +3 e/\u00c5 from amplifier A"),
    ],
)
def test_a_sentence_of_a_text_file_is_written_as_the_window_does(said: str, written: str) -> None:
    assert sentence(said) == written
