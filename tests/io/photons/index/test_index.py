"""The index gives the photons of the file, sorted, from its own files, and only while the file is what was indexed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError, JobCancelled, MissingDataError
from ifuview.io.photons.index import build as photon_index_build
from ifuview.io.photons.index import index as photon_index
from ifuview.io.photons.index.build import build_index
from ifuview.io.photons.index.columns import MOST_DERIVED
from ifuview.io.photons.index.index import open_index, places
from ifuview.model.photons.lists import (
    Beammap,
    IndexedPhotons,
    PhotonBlock,
    PhotonColumn,
    PhotonInfo,
    PhotonList,
    SortedColumns,
)

NRES, NROW = 12, 20_000


@dataclass
class Blocks:
    """A source that gives its photons as they come, a few thousand at a time."""

    info: PhotonInfo
    columns: PhotonBlock
    size: int = 3000
    passes: list[int] = field(default_factory=list)

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: Any = SILENT) -> Iterator[PhotonBlock]:
        self.passes.append(1)
        for start in range(0, len(self.columns.time), self.size):
            ctx.checkpoint(start / NROW, "photons")
            r, t, v, w = (None if c is None else c[start : start + self.size] for c in self.columns)
            yield PhotonBlock(r, t, v if value else None, w if weight else None)

    def photons_of(self, resonators: Any, *, weight: bool = False) -> PhotonBlock:
        raise NotImplementedError


def source(tmp_path, *, ordered: bool = True, weights: bool = False, nrow: int = NROW, **info: Any) -> Blocks:
    path = tmp_path / "photons.h5"
    path.write_bytes(np.random.default_rng(0).bytes(300_000))
    rng = np.random.default_rng(1)
    resonator = rng.integers(0, NRES + 1, nrow).astype(np.int32)  # NRES: of no known resonator
    time = rng.integers(0, 1000, nrow).astype(np.uint32)  # many photons at one time
    value = rng.normal(1000, 100, nrow).astype(np.float32)
    weight = rng.random(nrow).astype(np.float32) if weights else None
    if weight is not None:
        weight[: nrow // 2] = 1
    if ordered:
        order = np.lexsort((time, resonator))
        resonator, time, value = resonator[order], time[order], value[order]
    flags = np.zeros((3, 4), np.uint64)
    flags[1, 2] = 5
    beammap = Beammap(np.arange(NRES) * 7, np.arange(NRES).reshape(3, 4), flags, ("a.b", "c.d", "e"), {"c.d": "or e"})
    known = {"column": PhotonColumn.WAVELENGTH, "header": {"OBJECT": "star", "RA": (1.5, None), "list": [1, 2]}}
    photon_info = PhotonInfo(str(path), "modern", beammap, nrow, 1e9, 0.001, **{**known, "sorted": ordered, **info})
    return Blocks(photon_info, PhotonBlock(resonator, time, value, weight))


def in_order(columns: PhotonBlock) -> PhotonBlock:
    order = np.lexsort((columns.time, columns.resonator))
    return PhotonBlock(*(None if c is None else c[order] for c in columns))


def everything(index, **wanted) -> PhotonBlock:
    blocks = [PhotonBlock(*(None if c is None else c.copy() for c in block)) for block in index.blocks(**wanted)]
    return PhotonBlock(*(None if c[0] is None else np.concatenate(c) for c in zip(*blocks)))


@pytest.mark.parametrize("block_rows", [1 << 18, 700])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("ordered", [True, False])
def test_the_photons_are_those_of_the_source_by_resonator_and_time(tmp_path, monkeypatch, ordered, weights, block_rows):
    monkeypatch.setattr(photon_index, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(photon_index_build, "SORT_ROWS", 500)  # piles within piles, and many rows of one key
    made = source(tmp_path, ordered=ordered, weights=weights)
    truth = in_order(made.columns)
    index = build_index(made)
    for kept in (index, open_index(made.info.path)):
        assert kept is not None
        assert kept.weighted is weights
        assert kept.info.weighted is weights
        found = everything(kept, weight=True)
        for name in ("resonator", "time", "value"):
            assert (getattr(found, name) == getattr(truth, name)).all(), name
        assert (found.weight is None) is not weights
        if weights:
            assert (found.weight == truth.weight).all()
        counts, latest = kept.whole()
        assert (counts == np.bincount(truth.resonator, minlength=NRES + 1)).all()
        assert latest == truth.time.max()
        assert everything(kept, value=False).value is None
        assert (kept.load("time") == truth.time).all()
    assert len(made.passes) == 1


def test_photons_of_some_resonators_are_those_of_the_list(tmp_path):
    made = source(tmp_path, weights=True)
    index = build_index(made)
    truth = PhotonList(made.info, *made.columns)
    for wanted in ([3], [7, 0, 11], [], [NRES]):
        for weight in (False, True):
            found, expected = index.photons_of(wanted, weight=weight), truth.photons_of(wanted, weight=weight)
            for a, b in zip(found, expected):
                assert (a is None) == (b is None)
                assert a is None or (a == b).all()
            assert found.resonator.dtype == np.int32


def test_an_index_says_that_it_is_sorted_and_keeps_values(tmp_path):
    made = source(tmp_path)
    assert isinstance(build_index(made), IndexedPhotons)
    assert not isinstance(made, SortedColumns)


def test_what_the_file_says_of_itself_is_kept(tmp_path):
    made = source(tmp_path, calibrations={"wavecal": "sol.npz"}, notes=("a note",), target="HD 1")
    build_index(made)
    index = open_index(made.info.path)
    assert index is not None
    for name in ("path", "era", "nphoton", "start", "duration", "column", "wave_range", "notes", "target", "header"):
        assert getattr(index.info, name) == getattr(made.info, name), name
    assert dict(index.info.calibrations) == {"wavecal": "sol.npz"}
    assert index.info.beammap.flag_names == made.info.beammap.flag_names
    assert dict(index.info.beammap.flag_notes) == {"c.d": "or e"}
    assert (index.info.beammap.flags == made.info.beammap.flags).all()
    assert index.info.beammap.flags.dtype == np.uint64


def test_rows_that_are_not_in_the_promised_order_are_sorted(tmp_path):
    made = source(tmp_path, ordered=False)
    made.info = replace(made.info, sorted=True, nphoton=-1)
    index = build_index(made)
    assert index.info.sorted
    assert index.info.nphoton == NROW
    assert (everything(index).value == in_order(made.columns).value).all()
    assert len(made.passes) == 2


@pytest.mark.parametrize(
    "change", ["longer", "touched", "byte", "gone", "version", "first", "column", "shorter column"]
)
def test_an_index_of_another_state_is_not_used(tmp_path, change):
    made = source(tmp_path)
    folder = build_index(made).folder
    path, state = made.info.path, os.stat(made.info.path)
    assert open_index(path) is not None
    if change == "longer":
        with open(path, "ab") as file:
            file.write(b"x")
    elif change == "touched":
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    elif change == "byte":
        with open(path, "r+b") as file:
            file.write(b"changed!")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    elif change == "gone":
        shutil.rmtree(folder)
    else:
        name = {"version": "index.json", "first": "first.npy"}.get(change, "value.f4")
        with open(os.path.join(folder, name), "r+b") as file:
            if change == "shorter column":
                file.truncate(100)
            else:
                text = file.read()
                file.seek(0)
                file.write(
                    text.replace(b'"version": 3', b'"version": 9') if change == "version" else b"\xff" + text[1:]
                )
    assert open_index(path) is None
    index = build_index(made)
    assert (everything(index).time == made.columns.time).all()


def test_an_open_index_may_be_deleted(tmp_path):
    made = source(tmp_path)
    index = build_index(made)
    shutil.rmtree(index.folder)
    assert (everything(index).time == made.columns.time).all()


def test_a_folder_that_cannot_be_written_sends_the_index_to_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("ifuview.io.photons.index.index.user_folder", lambda kind: tmp_path / kind)
    made = source(tmp_path)
    beside = places(made.info.path)[0]
    real = os.makedirs
    monkeypatch.setattr(
        photon_index_build.tempfile, "mkdtemp", _refusing(photon_index_build.tempfile.mkdtemp, os.path.dirname(beside))
    )
    index = build_index(made)
    assert index.folder.startswith(str(tmp_path / "cache"))
    assert open_index(made.info.path) is not None
    monkeypatch.setattr(os, "makedirs", _refuse)
    with pytest.raises(IfuviewError, match="cannot be written"):
        build_index(made)
    monkeypatch.setattr(os, "makedirs", real)


def _refuse(*_: Any, **__: Any) -> None:
    raise PermissionError("read-only")


def _refusing(real: Any, folder: str) -> Any:
    def mkdtemp(*args: Any, **options: Any) -> str:
        if options.get("dir") == folder:
            raise PermissionError("read-only")
        return str(real(*args, **options))

    return mkdtemp


def test_a_given_folder_holds_the_index(tmp_path):
    made = source(tmp_path)
    index = build_index(made, str(tmp_path / "elsewhere"))
    assert os.path.dirname(index.folder) == str(tmp_path / "elsewhere")
    assert open_index(made.info.path) is None
    assert open_index(made.info.path, str(tmp_path / "elsewhere")) is not None


def test_a_cancelled_job_and_a_file_that_changes_leave_nothing(tmp_path):
    made = source(tmp_path)
    ctx = JobContext()
    ctx.cancel()
    with pytest.raises(JobCancelled):
        build_index(made, ctx=ctx)
    changing = JobContext(report=lambda *_: os.utime(made.info.path))
    with pytest.raises(FileFormatError, match="changed"):
        build_index(made, ctx=changing)
    assert os.listdir(tmp_path) == ["photons.h5"]
    os.remove(made.info.path)
    with pytest.raises(MissingDataError):
        build_index(made)


def test_derived_values_are_made_once_and_the_oldest_go(tmp_path, monkeypatch):
    made = source(tmp_path, weights=True)
    index = build_index(made)
    calls = []

    def double(block: PhotonBlock) -> np.ndarray:
        calls.append(len(block.time))
        return block.value * 2

    info = replace(made.info, column=PhotonColumn.PHASE)
    for _ in range(2):
        derived = index.with_values("twice", double, info=info)
        found = everything(derived, weight=True)
        assert (found.value == made.columns.value * 2).all()
        assert (found.weight == made.columns.weight).all()
        assert derived.info.column is PhotonColumn.PHASE
    assert sum(calls) == NROW
    heavier = index.with_values("heavy", lambda b: PhotonBlock(b.resonator, b.time, b.value, b.weight + 1))
    assert (everything(heavier, weight=True).weight == made.columns.weight + 1).all()
    assert (everything(index, weight=True).weight == made.columns.weight).all()
    for key in "abcd":
        index.with_values(key, double)
    heads = [name for name in os.listdir(index.folder) if name.endswith(".json") and name != "index.json"]
    assert len(heads) == MOST_DERIVED
    assert (everything(derived).value == made.columns.value * 2).all()  # still open
    before = len(calls)
    index.with_values("d", double)
    assert len(calls) == before


def test_a_list_without_photons_has_an_index(tmp_path):
    made = source(tmp_path, nrow=0)
    index = build_index(made)
    assert index.nphoton == 0
    assert list(index.blocks()) == []
    assert len(index.photons_of([1]).time) == 0


def test_a_folder_of_files_is_noticed_to_change(tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "1.bin").write_bytes(b"abc")
    made = source(tmp_path)
    made.info = replace(made.info, path=str(folder))
    build_index(made)
    assert open_index(str(folder)) is not None
    (folder / "2.bin").write_bytes(b"abc")
    assert open_index(str(folder)) is None


def test_a_folder_that_nobody_may_write_to_stays_as_it_is(tmp_path, monkeypatch):
    from ifuview.io.photons.lists.write import write_photons
    from ifuview.io.photons.opening import open_photons
    from ifuview.simulate.photons.lists import simulate_photons

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "archive"
    folder.mkdir()
    path = folder / "science.h5"
    write_photons(str(path), simulate_photons((20, 16), duration=0.5)[0])
    folder.chmod(0o555)
    try:
        index = build_index(open_photons(str(path)))
        assert index.folder.startswith(str(tmp_path / "cache"))
        assert os.listdir(folder) == ["science.h5"]
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize("ordered", [True, False])
def test_an_index_that_the_disk_has_no_room_for_is_not_begun(tmp_path, monkeypatch, ordered):
    photons = source(tmp_path, ordered=ordered)
    photons.info = replace(photons.info, sorted=ordered, nphoton=10**12)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(IfuviewError, match="MB are needed"):
        build_index(photons)
    assert not photons.passes
    assert [p.name for p in tmp_path.iterdir() if "index" in p.name] == []


def test_a_pile_that_cannot_be_parted_can_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.setattr(photon_index_build, "SORT_ROWS", 1000)
    np.zeros(5000, photon_index_build.ROW).tofile(tmp_path / "pile")
    ctx = JobContext()
    blocks = photon_index_build._stored(str(tmp_path / "pile"), ctx)
    assert len(next(blocks)) == 1000
    ctx.cancel()
    with pytest.raises(JobCancelled):
        next(blocks)
