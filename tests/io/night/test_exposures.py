"""Scanning folders: what belongs together, what is missing, what is still being written, and what it costs."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled, MissingDataError, UsageError
from ifuview.instrument import catalog, instrument
from ifuview.io.fits.head import complete, head_cards
from ifuview.io.night import exposures as module
from ifuview.io.night import walk
from ifuview.io.night.exposures import scan
from ifuview.io.night.log import bad_amplifiers, cameras_of, read_logs
from ifuview.io.night.names import Names
from ifuview.model.night.exposures import Dot, FileState

NIGHT, LONG_AGO = 20260101, 1_700_000_000
KEYS = ("EXPID", "TILEID", "EXPTIME", "OBSTYPE", "BADAMPS")


def fits_bytes(empty_first: bool = False, **cards: object) -> bytes:
    """A small FITS file; with the cards in the second header when the first has no data."""

    def header(first: str, naxis: int, more: dict[str, object]) -> bytes:
        lines = [first, f"BITPIX  = {16:20d}", f"NAXIS   = {naxis:20d}"]
        lines += [f"NAXIS{i + 1}  = {10:20d}" for i in range(naxis)]
        lines += [f"{k:8s}= '{v}'" if isinstance(v, str) else f"{k:8s}= {v:20}" for k, v in more.items()]
        text = "".join(line.ljust(80) for line in (*lines, "END"))
        return text.ljust(-(-len(text) // 2880) * 2880).encode()

    first = header(f"SIMPLE  = {'T':>20s}", 0 if empty_first else 2, {} if empty_first else dict(cards))
    second = header("XTENSION= 'IMAGE   '", 2, dict(cards)) if empty_first else b""
    return first + second + bytes(2880)


def put(path: Path, data: bytes, when: float = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    os.utime(path, (when, when))
    return path


def product(root: Path, expid: int, camera: str, name: str, suffix: str = ".fits", **cards: object) -> Path:
    tree = "preproc" if name == "preproc" else "exposures"
    data = fits_bytes(EXPID=expid, CAMERA=camera, TILEID=7, EXPTIME=900.0, OBSTYPE="SCIENCE", **cards)
    return put(root / tree / str(NIGHT) / f"{expid:08d}" / f"{name}-{camera}-{expid:08d}{suffix}", data)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    out = tmp_path / "prod"
    for expid, suffix in ((11, ".fits"), (12, ".fits.gz"), (13, ".fits")):
        product(out, expid, "r6", "preproc", suffix)
        product(out, expid, "r6", "frame", suffix)
        product(out, expid, "z6", "frame", suffix, **({"BADAMPS": "A,C"} if expid == 12 else {}))
    return out


def test_a_production_a_night_an_exposure_and_a_tile(root: Path, cache: Path) -> None:
    (root / "tiles" / "cumulative" / "7" / str(NIGHT)).mkdir(parents=True)
    night = root / "exposures" / str(NIGHT)
    for folder in (root, night, root / "preproc" / str(NIGHT), root / "tiles" / "cumulative" / "7"):
        index = scan(str(folder), cache=cache)
        assert [e.expid for e in index.exposures] == [11, 12, 13]
        assert index.root == str(root)
        assert index.cameras == ("r6", "z6")
        assert index.products == ("preproc", "frame")
    one = scan(str(night / "00000012"), cache=cache)
    assert [e.expid for e in one.exposures] == [12]
    assert ("r6", "preproc") in one.exposures[0].files  # lies in another tree
    assert (one.exposures[0].tile, one.exposures[0].exptime, one.exposures[0].obstype) == (7, 900.0, "science")


def test_a_loose_folder_of_products(tmp_path: Path, cache: Path) -> None:
    put(tmp_path / "got" / "sky-r6-00000012.fits.gz", fits_bytes(EXPID=12, NIGHT=NIGHT))
    index = scan(str(tmp_path / "got"), cache=cache)
    assert [(e.night, e.expid) for e in index.exposures] == [(NIGHT, 12)]


def test_a_missing_camera_is_not_a_bad_amplifier(root: Path, cache: Path) -> None:
    head = "EXPID,OBSTYPE,TILEID,CAMWORD,BADCAMWORD,BADAMPS,EXPTIME,SURPRISE\n"
    rows = "11,science,7951,brz6,b6,r6D,1000.0,x\nremark\n12,science,7951,rz67,,,1000.0\n"
    table = root / "exposure_tables" / "202601" / f"exposure_table_{NIGHT}.csv"
    put(table, (head + rows).encode())
    index = scan(str(root), cache=cache)
    first, second, third = index.exposures
    assert first.dot("r6", "frame") is Dot.BAD_AMPLIFIER
    assert first.dot("z6", "frame") is Dot.PRESENT
    assert first.dot("b6", "frame") is Dot.OFF
    files = dict(first.files) | {("b6", "frame"): first.files["r6", "frame"]}
    assert replace(first, files=files).dot("b6", "frame") is Dot.BAD_CAMERA  # its files are there all the same
    assert first.missing == ()
    assert second.missing == ("r7", "z7")
    assert second.dot("r7", "frame") is Dot.MISSING
    assert (first.tile, third.tile) == (7951, 7)  # the log goes first, the header where it is silent
    assert [e.expid for e in index.same_tile(11)] == [11, 12]
    assert index.headers_read == 2  # of the exposure that is in no log


def test_the_header_says_bad_amplifiers_where_there_is_no_log(root: Path, cache: Path) -> None:
    found = scan(str(root), cache=cache).find(12)
    assert found is not None
    assert dict(found.bad_amplifiers) == {"z6": "AC"}


def test_logs_in_all_forms_and_bad_ones(tmp_path: Path) -> None:
    csv = put(tmp_path / "exposures-a.csv", b"NIGHT,EXPID,TILEID,EXPTIME\n20260101,5,8,900\n")
    ecsv = put(tmp_path / "b.ecsv", b'# %ECSV 1.0\n# ---\nEXPID OBSTYPE\n5 dark\n6 "two words"\n')
    wrong = put(tmp_path / "c.csv", b"A,B\n1,2\n")
    binary = put(tmp_path / "d.csv", b"\xff\xfe\x00\x81")
    notes: list[str] = []
    logs = read_logs([str(p) for p in (csv, ecsv, wrong, binary)], notes)
    assert logs[5].columns == {"NIGHT": "20260101", "EXPID": "5", "TILEID": "8", "EXPTIME": "900", "OBSTYPE": "dark"}
    assert logs[6].columns["OBSTYPE"] == "two words"
    assert len(notes) == 2
    assert all("is left out" in note for note in notes)


def test_camera_words() -> None:
    assert cameras_of("a01b2") == ("b0", "r0", "z0", "b1", "r1", "z1", "b2")
    assert cameras_of("") == ()
    assert bad_amplifiers("b7D,z8AC; r1 B") == {"b7": "D", "z8": "AC"}


def test_cached_until_the_file_changes(root: Path, cache: Path) -> None:
    assert scan(str(root), cache=cache).headers_read == 6
    assert scan(str(root), cache=cache).headers_read == 0
    os.utime(product(root, 13, "z6", "frame", PROGRAM="longer" * 3), (LONG_AGO + 9, LONG_AGO + 9))
    assert scan(str(root), cache=cache).headers_read == 1
    next(cache.iterdir()).write_text("{", "utf-8")
    assert scan(str(root), cache=cache).headers_read == 6


def test_a_cache_that_cannot_be_written_costs_nothing(root: Path, tmp_path: Path) -> None:
    blocked = put(tmp_path / "file", b"x")
    assert len(scan(str(root), cache=blocked / "below").exposures) == 3


def test_what_is_still_being_written_and_what_is_damaged(root: Path, cache: Path) -> None:
    whole = product(root, 14, "r6", "frame", ".fits.gz")
    part = whole.with_name("sky-r6-00000014.fits.gz")
    put(part, b"", time.time())
    part.write_bytes(whole.read_bytes()[:-20])
    put(whole.with_name("sframe-r6-00000014.fits"), fits_bytes()[:-100])
    put(whole.with_name("cframe-r6-00000014.fits"), fits_bytes(), time.time())
    put(whole.with_name("frame-z6-00000014.fits.gz.tmp"), b"not yet", time.time())
    found = scan(str(root), cache=cache).find(14)
    assert found is not None
    states = {p: found.dot("r6", p) for p in ("frame", "sky", "sframe", "cframe")}
    assert states == {"frame": Dot.PRESENT, "sky": Dot.WRITING, "sframe": Dot.DAMAGED, "cframe": Dot.PRESENT}
    assert {c for c, _ in found.files} == {"r6"}


def test_complete(tmp_path: Path) -> None:
    data = fits_bytes(empty_first=True, EXPID=3)
    assert complete(str(put(tmp_path / "a.fits", data)))
    assert complete(str(put(tmp_path / "a.fits.gz", data)))
    assert not complete(str(put(tmp_path / "b.fits", data[:-2880])))
    assert not complete(str(put(tmp_path / "c.fits", data + b"SIMPLE")))
    assert not complete(str(put(tmp_path / "d.fits", b"")))
    assert not complete(str(tmp_path / "none.fits"))
    assert head_cards(str(tmp_path / "a.fits.gz"), KEYS) == {"EXPID": 3}
    assert head_cards(str(put(tmp_path / "e.fits.gz", b"x").parent / "c.ini"), KEYS) == {}
    assert head_cards(str(put(tmp_path / "f.fits", b"no fits at all")), KEYS) == {}


def test_neighbors_and_files(root: Path, cache: Path) -> None:
    shutil.rmtree(root / "preproc" / str(NIGHT) / "00000012")
    index = scan(str(root), cache=cache)

    def after(expid: int, step: int, *what: str) -> int | None:
        found = index.neighbor(expid, step, *what)
        return None if found is None else found.expid

    assert (after(11, 1), after(11, 1, "r6", "preproc"), after(13, 1), after(99, 1)) == (12, 13, None, None)
    assert index.file(11, "r6", "frame") is not None
    assert index.file(11, "r9", "frame") is None
    assert index.same_tile(99) == ()


def test_many_nights_are_cut_with_a_note(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NIGHTS_AT_ONCE", 2)
    for day in range(4):
        put(tmp_path / "exposures" / str(NIGHT + day) / f"{day:08d}" / f"sky-b1-{day:08d}.fits", fits_bytes())
    index = scan(str(tmp_path), cache=cache)
    assert [e.expid for e in index.exposures] == [2, 3]
    assert index.notes == ("2 older nights are left out: open the folder of a night to see it",)


def test_a_tile_reads_only_the_folders_that_the_log_names(root: Path, cache: Path) -> None:
    rows = "EXPID,TILEID,CAMWORD,NIGHT\n11,5,r6z6,20260101\n13,5,r6z6,20260101\n12,6,r6z6,20260101\n"
    put(root / "exposures-all.csv", rows.encode())
    tile = root / "tiles" / "cumulative" / "5" / str(NIGHT)
    tile.mkdir(parents=True)
    chain = instrument("desi").chain
    assert chain is not None
    places = list(walk.places(walk.scope_of(str(tile), chain), walk.FoundFiles(Names(chain))))
    assert {Path(p).name for p in places} == {str(NIGHT), "00000011", "00000013"}
    assert [e.expid for e in scan(str(tile), cache=cache).exposures] == [11, 13]


def test_unrelated_files_are_passed_by_and_a_scan_can_be_cancelled(tmp_path: Path, cache: Path) -> None:
    for i in range(1500):
        (tmp_path / f"frame-x-{i}.fits").touch()
    put(tmp_path / "sky-b1-00000001.fits", fits_bytes())
    assert len(scan(str(tmp_path), cache=cache).exposures) == 1
    event = Event()
    seen: list[str] = []

    def report(fraction: float, text: str) -> None:
        seen.append(text)
        if text.endswith(" files"):
            event.set()

    with pytest.raises(JobCancelled):
        scan(str(tmp_path), JobContext(report, event), cache)
    assert seen[-1] == "512 files"


def test_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no such folder"):
        scan(str(tmp_path / "none"))
    with pytest.raises(UsageError, match="is no folder"):
        scan(str(put(tmp_path / "file", b"x")))


def test_real_production(shared_data: Path, cache: Path) -> None:
    root = shared_data / "desi"
    if not root.is_dir():
        pytest.skip("no production here")
    index = scan(str(root), cache=cache)
    assert [e.expid for e in index.exposures] == [104260, 104282, 104284, 104285, 104286]
    assert [e.expid for e in index.same_tile(104284)] == [104284, 104285]
    assert all(f.state is FileState.READY for e in index.exposures for f in e.files.values())
    assert index.headers_read == 0
    fixed = scan(str(root / "after_fix"), cache=cache).exposures[0]
    assert (fixed.night, fixed.expid, fixed.tile) == (20211014, 104284, 7951)


def test_products_of_a_tile_are_listed_with_its_exposures_and_in_any_folder(root: Path, cache: Path) -> None:
    product(root, 5, "r0", "sframe")
    place = root / "tiles" / "cumulative" / "7" / str(NIGHT)
    for name in ("coadd-3-7", "redrock-3-7", "notes-3-7", "tile-qa-7"):
        put(place / f"{name}-thru{NIGHT}.fits.gz", fits_bytes())
    put(root / "tiles" / "cumulative" / "8" / str(NIGHT) / f"coadd-3-8-thru{NIGHT}.fits", fits_bytes())
    wanted = [("coadd", 3), ("redrock", 3), ("tile-qa", None)]
    for folder in (root, place, place.parent):
        assert [(f.family, f.petal) for f in scan(str(folder), cache=cache).tiles] == wanted
    shutil.copytree(place, root.parent / "copied")
    found = scan(str(root.parent / "copied"), cache=cache)
    assert found.exposures == ()
    assert [(f.family, f.petal) for f in found.tiles] == wanted


def test_exposures_fits_is_joined_in_the_production_or_beside_it(root: Path, cache: Path) -> None:
    import numpy as np
    from astropy.io import fits

    product(root, 5, "r0", "sframe")
    columns = [
        fits.Column("EXPID", "J", array=np.array([5, 6])),
        fits.Column("PROGRAM", "8A", array=np.array(["dark", "bright"])),
        fits.Column("EXPTIME", "D", array=np.array([123.0, np.nan])),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="EXPOSURES")
    for path in (root / "exposures-daily.fits", root.parent / f"exposures-{root.name}.fits"):
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
        exposure = scan(str(root), cache=cache).exposures[0]
        assert exposure.exptime == 123.0
        assert exposure.table["PROGRAM"] == "dark"
        path.unlink()
    (root / "exposures-daily.fits").write_bytes(b"no fits")
    assert any("exposures-daily.fits is left out" in note for note in scan(str(root), cache=cache).notes)


def test_raw_files_are_listed_where_they_are_found(root: Path, cache: Path) -> None:
    product(root, 5, "r0", "sframe")
    for expid in (5, 6):
        place = root / "raw" / str(NIGHT) / f"{expid:08d}" / f"desi-{expid:08d}.fits.fz"
        put(place, fits_bytes(True, OBSTYPE="ARC", EXPTIME=5.0, NIGHT=NIGHT))
    found = {e.expid: e for e in scan(str(root), cache=cache).exposures}
    assert found[5].raw.endswith("desi-00000005.fits.fz")
    assert (found[6].obstype, found[6].exptime, found[6].night) == ("arc", 5.0, NIGHT)
    alone = scan(str(root / "raw" / str(NIGHT)), cache=cache)
    assert [e.expid for e in alone.exposures] == [5, 6]


def test_the_chain_of_products_comes_from_the_instrument_file(tmp_path: Path, cache: Path) -> None:
    for name in ("lvm-xobject", "lvmFrame", "lvm-pobject"):
        put(tmp_path / f"{name}-r1-00001234.fits", fits_bytes(EXPOSURE=1234))
    put(tmp_path / "frame-r1-00000007.fits", fits_bytes(EXPID=7))
    index = scan(str(tmp_path), cache=cache)
    assert index.chain.instrument == "lvm"
    assert [e.expid for e in index.exposures] == [1234]
    assert index.products == ("lvm-pobject", "lvm-xobject", "lvmFrame")
    assert index.notes == ("1 exposures of other instruments are left out: open their folder to see them",)


def test_a_users_chain_is_a_chain(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = r"(?P<product>[a-z]+)_(?P<expid>\d+)_(?P<camera>[a-z])"
    text = f"name = 'mine'\n[chain]\nfile = '{pattern}'\nproducts = ['raw', 'reduced']\n"
    put(tmp_path / "config" / "instruments" / "mine.toml", text.encode())
    put(tmp_path / "data" / "reduced_12_a.fits", fits_bytes(EXPID=12))
    put(tmp_path / "data" / "bias_12_a.fits", fits_bytes(EXPID=12))
    put(tmp_path / "data" / "raw_12_a.fits", fits_bytes(EXPID=12))
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path / "config"))
    catalog.forget()
    try:
        index = scan(str(tmp_path / "data"), cache=cache)
    finally:
        monkeypatch.undo()
        catalog.forget()
    assert index.products == ("raw", "reduced", "bias") and index.chain.first == ("reduced", "raw")
    assert index.cameras == ("a",) and index.exposures[0].expid == 12
