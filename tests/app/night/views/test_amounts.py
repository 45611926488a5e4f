"""How large a finding is, in the same words in the bar and in the list."""

from __future__ import annotations

import pytest

from ifuview.app.night.views.verdict import amount_of
from ifuview.model.night.triage import Finding


@pytest.mark.parametrize(
    ("amplitude", "unit", "words"),
    [
        (-75.42, "electron / Angstrom", "75.4 e/\u00c5"),
        (0.0193, "throughput / flat", "1.9 % of flat"),
        (-0.00301, "throughput / flat", "0.3 % of flat"),
        (0.0888, "of the bright fiber's light", "8.9 % of the star"),
        (1.0, "fibers", "1 fiber"),
        (7.0, "fibers", "7 fibers"),
        (0.296, "mm", "0.296 mm"),
        (0.0, "", ""),
    ],
)
def test_an_amount_is_short(amplitude: float, unit: str, words: str) -> None:
    assert amount_of(Finding(1, "r6", "isolated-fiber", "light", amplitude=amplitude, unit=unit)) == words
