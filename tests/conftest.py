"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ifuview import memory
from ifuview.instrument import catalog
from ifuview.overwriting import forgotten
from tests import compiling

TESTS = Path(__file__).resolve().parent
DATA = TESTS.parents[1] / "shared" / "data"
TOGETHER = ("tests/app/night/reduction/",)  # one night is reduced for all files of such a folder
FIRST = "gui"  # waits most, while the tests on a screen have the processor
LAST = ("commands", "instrument", "io", "model", "report", "simulate")  # short ones fill the end up


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the sweeps that are marked slow")


def pytest_configure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        compiling.forget_old(TESTS.parent / "ifuview")
    compiling.once_for_all()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go whole to a process, and those of some folders to one, in the order in which they are collected."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Folders(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    config.option.loadscopereorder = False
    return Folders(config, log)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return (folder in LAST) - (folder == FIRST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_turn)
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
