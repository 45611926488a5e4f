"""A night of which some files are damaged: each is named or left out, the other cameras are judged as before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.night.production import write_production
from tests.robust.night import differing, verdicts

SHARES = (0.01, 0.02, 0.04)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[int, str], set[tuple[str, str]]]]:
    root = write_production(tmp_path_factory.mktemp("night"))
    return root, verdicts(root)


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in range(3, 9))])
def test_the_other_cameras_are_judged_as_before(night, seed: int) -> None:
    root, before = night
    assert any(before.values())  # something is found at all
    found = differing(root, seed, SHARES[seed % len(SHARES)], before)
    assert found["damaged"]
    assert found["wrong"] == [], found
