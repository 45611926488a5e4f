"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ifuview import memory
from ifuview.overwriting import forgotten

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def no_inputs() -> Iterator[None]:
    """What other tests have read is no input of this one, and their limit of memory is not its own."""
    most = memory.limit()
    with forgotten():
        yield
    memory.allow(most // memory.MIB)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the shared data beside the checkout; tests that need it are skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the shared data are not here")
    return DATA
