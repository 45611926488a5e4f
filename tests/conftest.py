"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ifuview import memory
from ifuview.instrument import catalog
from ifuview.overwriting import forgotten

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the sweeps that are marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow") is not None:
                item.add_marker(pytest.mark.skip(reason="a slow sweep; --slow runs it"))


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


@pytest.fixture
def own_instruments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a user's instrument files."""
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    out = tmp_path / "instruments"
    out.mkdir()
    catalog.forget()
    yield out
    monkeypatch.undo()
    catalog.forget()
