"""All roads give equal arrays: a function that holds everything, a worker that gives up what it no longer needs."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app.night.reduction import run
from ifuview.app.night.reduction.run import reduce_files
from ifuview.batch import work as worker
from ifuview.batch.night import put_together
from ifuview.batch.tasks import load, reduce_tasks
from ifuview.batch.work import work
from ifuview.engine.context import set_threads
from ifuview.errors import MissingDataError
from ifuview.io.archive.store import STORE
from tests.app.night.reduction.conftest import DATE, OBSERVATION


@pytest.fixture
def alone(monkeypatch):
    """Work done in this process, whose threads are those of before afterwards."""
    monkeypatch.setattr(worker, "one_thread", lambda: set_threads(1))
    yield
    set_threads(0)
    worker._CALIBRATIONS.clear()


def test_a_worker_writes_what_the_function_writes(night, reduced, tmp_path, alone):
    held = STORE.size
    (task,) = reduce_tasks([str(night[0])], str(tmp_path), ("orange",))
    assert (task.exposure, task.camera) == (f"{DATE}-{OBSERVATION:07d}-exp01", "orange")
    record = work(task)
    assert record.level in ("pass", "warn") and not record.failed and record.text.startswith("orange")
    assert load(task) is not None
    page = Path(task.output, record.page)
    assert page.is_file() and page.resolve().is_relative_to(tmp_path / "LRS2")
    files = sorted(path.relative_to(reduced[0]) for path in reduced[0].rglob("*.fits"))
    assert len(files) == 6
    for name in files:
        with fits.open(reduced[0] / name) as one, fits.open(tmp_path / name) as other:
            assert [hdu.name for hdu in one] == [hdu.name for hdu in other]
            for here, there in zip(one, other):
                if here.name not in ("PROVENANCE", "provenance"):
                    assert np.array_equal(here.data, there.data, equal_nan=True), (name, here.name)
    put_together([task], {task.output: record}, str(tmp_path), ())
    assert os.path.basename(record.page) in (tmp_path / "index.html").read_text("utf-8")
    assert json.loads(Path(task.output, "done.json").read_text())["data"]["line"] == reduced[1].line
    assert STORE.size == held  # plain archives are mapped


def test_no_raw_science_exposure_is_one_sentence(night, tmp_path):
    with pytest.raises(MissingDataError, match="no raw science exposure of red"):
        reduce_tasks([str(night[0])], str(tmp_path), ("red",))
    with pytest.raises(MissingDataError, match="no such folder of instrument tables"):
        reduce_tasks([str(night[0])], str(tmp_path), config=str(tmp_path / "absent"))


def test_files_of_one_exposure_are_that_exposure_once(night, monkeypatch, tmp_path):
    """Amplifiers one by one, in whatever folder they lie; calibrations among the files are no fault."""
    asked = []
    monkeypatch.setattr(run, "reduce_exposures", lambda _, exposures, *__: asked.extend(exposures) or ())
    for tar in sorted(Path(night[0]).rglob("*.tar")):
        place = tmp_path / tar.relative_to(night[0]).parent
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(tar) as file:
            file.extractall(place, filter="data")
    upper, lower = (str(next(tmp_path.rglob(f"*056{name}_sci.fits"))) for name in ("RL", "RU"))
    tars = [str(one) for one in sorted(Path(night[0]).rglob("*.tar"))]
    for files in ([upper], [upper, lower], [lower, str(tmp_path), upper], tars, [*tars, upper]):
        asked.clear()
        reduce_files(files)
        (one,) = asked
        assert one.key[:3] == (DATE, OBSERVATION, 1) and not one.missing
        assert [a.name for a in one.of("orange")] == ["RU", "RL"]  # from bottom to top
    with pytest.raises(MissingDataError, match="no raw science exposure of nobody is there"):
        reduce_files(tars, object="nobody")
