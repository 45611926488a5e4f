"""Photon lists of every layout: the photons written are the photons read, and bad files say what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError, JobCancelled, MissingDataError, UsageError
from ifuview.io import open_all, open_dataset
from ifuview.io.photons.lists import pixels as mkid_pixels
from ifuview.io.photons.lists import table as mkid_table
from ifuview.io.photons.opening import is_photons, open_photons
from ifuview.io.photons.raw.beammap_text import read_beammap
from ifuview.model.photons.lists import Beammap, PhotonColumn
from tests.io.photons import photonfiles as made


def everything(source, **options):
    """All photons as (resonator id, time, value, weight), copied."""
    parts = [tuple(None if c is None else c.copy() for c in block) for block in source.blocks(**options)]
    columns = [None if c[0] is None else np.concatenate(c) for c in zip(*parts)]
    lookup = np.append(source.info.beammap.ids, -1)
    return lookup[columns[0]], *columns[1:]


def same_photons(source, rows):
    resonator, time, value, weight = everything(source, weight=True)
    np.testing.assert_array_equal(resonator, rows["resID"])
    np.testing.assert_array_equal(time, rows["time"])
    np.testing.assert_array_equal(value, rows["wavelength"])
    np.testing.assert_allclose(weight, rows["weight"], rtol=1e-6)
    assert resonator.dtype == np.int64
    assert (time.dtype, value.dtype, weight.dtype) == (np.uint32, np.float32, np.float32)


WRITERS = {"modern": made.write_modern, "consolidated": made.write_consolidated, "per resonator": made.write_pixels}


@pytest.mark.parametrize("era", WRITERS)
def test_photons_are_read_as_written(era, tmp_path):
    rows = made.photons()
    source = open_photons(WRITERS[era](tmp_path / "a.dat", rows))
    info = source.info
    assert (info.era, info.nphoton, info.column, info.sorted) == (era, len(rows), PhotonColumn.PHASE, True)
    assert info.beammap.shape == (made.NY, made.NX)
    np.testing.assert_array_equal(info.beammap.ids[info.beammap.index], made.ids().T)
    np.testing.assert_array_equal(info.beammap.flags, made.flags().T)
    same_photons(source, rows)
    assert source.info.notes == info.notes
    block = next(iter(source.blocks(value=False)))
    assert block.value is None
    assert block.weight is None


@pytest.mark.parametrize("era", WRITERS)
def test_photons_of_some_resonators(era, tmp_path):
    rows = made.photons()
    source = open_photons(WRITERS[era](tmp_path / "a.h5", rows))
    for passed in range(2):  # before and after a whole pass
        block = source.photons_of([7, 2, 11, 99, -1], weight=bool(passed))
        wanted = rows[np.isin(rows["resID"], [10_002, 10_007])]
        np.testing.assert_array_equal(source.info.beammap.ids[block.resonator], wanted["resID"])
        np.testing.assert_array_equal(block.time, wanted["time"])
        np.testing.assert_array_equal(block.value, wanted["wavelength"])
        assert (block.weight is None) == (not passed)
    assert len(source.photons_of([11]).time) == 0


@pytest.mark.parametrize("order", ["shuffled", "by time", "two pieces"])
@pytest.mark.parametrize("writer", [made.write_modern, made.write_consolidated])
@pytest.mark.parametrize("few_runs", [True, False])
def test_unsorted_rows_are_still_right(order, writer, few_runs, tmp_path, monkeypatch):
    rows = made.photons()
    if order == "shuffled":
        rows = np.random.default_rng(1).permutation(rows)
    elif order == "by time":
        rows = np.sort(rows, order=("time", "resID"))
    else:
        rows = np.concatenate([rows[::2], rows[1::2]])
    if not few_runs:
        monkeypatch.setattr(mkid_table, "MAX_RUNS", 5)
    source = open_photons(writer(tmp_path / "a.h5", rows))
    assert not source.info.sorted
    same_photons(source, rows)
    assert not source.info.sorted
    assert any("not sorted" in note for note in source.info.notes)
    wanted = np.sort(rows[np.isin(rows["resID"], [10_002, 10_007])], order=("resID", "time"))
    block = source.photons_of([2, 7], weight=True)
    np.testing.assert_array_equal(block.time, wanted["time"])
    np.testing.assert_array_equal(block.value, wanted["wavelength"])
    np.testing.assert_allclose(block.weight, wanted["weight"], rtol=1e-6)


@pytest.mark.parametrize("era", WRITERS)
def test_photons_of_unknown_resonators_are_counted(era, tmp_path):
    rows = made.photons()
    rows["resID"][rows["resID"] == 10_003] = 77
    rows["resID"][rows["resID"] == 10_005] = 90_000_000
    rows = np.sort(rows, order=("resID", "time"))
    unknown = int(np.isin(rows["resID"], [77, 90_000_000]).sum())
    source = open_photons(WRITERS[era](tmp_path / "a.h5", rows))
    resonator, *_ = everything(source)
    assert (resonator == -1).sum() == unknown
    assert f"{unknown} photons are of resonators that no pixel shows." in source.info.notes
    beammap = source.info.beammap
    counts = np.bincount(np.concatenate([b.resonator for b in source.blocks()]), minlength=beammap.nresonator + 1)
    truth = np.array([[(rows["resID"] == i).sum() for i in line] for line in made.ids().T])
    np.testing.assert_array_equal(beammap.image(counts), truth)


def test_resonator_ids_too_large_for_a_table(tmp_path):
    rows = made.photons()
    path = made.write_modern(tmp_path / "a.h5", rows)
    with h5py.File(path, "r+") as file:
        ids = file["beammap/map"][:]
        ids[ids == 10_011] = 4_000_000_000
        file["beammap/map"][:] = ids
    same_photons(open_photons(path), rows)


@pytest.mark.parametrize("storage", [{}, {"chunks": (2,)}, {"chunks": (2,), "compression": "gzip"}])
def test_packed_words_are_unpacked(storage, tmp_path):
    rows = made.photons()
    rows["wavelength"] = np.floor(rows["wavelength"])
    path = made.write_packed(tmp_path / "a.h5", rows, **storage)
    source = open_photons(path)
    assert (source.info.era, source.info.nphoton, source.info.duration) == ("packed", -1, 3.0)
    there = rows[rows["resID"] != made.ids()[0, 0]]
    resonator, time, value, weight = everything(source, weight=True)
    np.testing.assert_array_equal(resonator, there["resID"])
    np.testing.assert_array_equal(time, there["time"])
    np.testing.assert_array_equal(value, -there["wavelength"])
    assert weight is None
    assert source.info.nphoton == len(there)
    assert source.info.beammap.index[0, 0] == -1
    assert source.info.beammap.flagged(["beammap.noDacTone"]).sum() == 1
    assert any("pulse height" in note for note in source.info.notes)


def test_corrupt_seconds_are_left_out_and_said(tmp_path):
    source = open_photons(made.write_packed(tmp_path / "a.h5", made.photons(), corrupt=True))
    resonator, time, *_ = everything(source)
    assert not ((resonator == 10_005) & (time // 1_000_000 == 1)).any()
    assert any(note.startswith("1 corrupt second") for note in source.info.notes)


def test_the_header_is_decoded(tmp_path):
    series = b"ccopy_reg\n_reconstructor\n(cm.metadata\nMetadataSeries\nc__builtin__\nobject\nNtR"
    series += b"(dVtimes\n(lF1.0\nasVvalues\n(lF1.1\nasb."
    hostile = b"cos\nsystem\n(S'touch it-ran'\ntR."
    words = {"wavecal": b"sol", "flatcal": b"flat", "AIRMASS": series, "E_X": hostile, "OBJECT": b"Vega."}
    words = {key: np.bytes_(word) for key, word in words.items()}
    path = made.write_modern(tmp_path / "a.h5", **words, min_wavelength=800)
    info = open_photons(path).info
    assert info.calibrations == {"wavecal": "sol", "flatcal": "flat"}
    assert (info.column, info.weighted, info.calibrated) == (PhotonColumn.WAVELENGTH, True, True)
    assert info.header["AIRMASS"] == {"times": [1.0], "values": [1.1]}
    assert info.header["E_X"].startswith("opaque: holds an object of the class os.system")
    assert (info.target, info.start, info.duration, info.dead_time) == ("Vega.", made.START, 3.0, 1e-5)
    assert info.wave_range == (800.0, 1500.0)
    assert not os.path.exists("it-ran")


def test_old_headers_and_flag_lists(tmp_path):
    info = open_photons(made.write_consolidated(tmp_path / "a.h5", calibrated=True)).info
    assert info.calibrations == {"wavecal": "calsol.h5"}
    assert (info.target, info.wave_range) == ("a star", (800.0, 1400.0))
    assert info.beammap.flag_names[:2] == ("beammap.noDacTone", "beammap.failed")
    assert "wavelength solution" in info.beammap.flag_notes["beammap.failed"]
    plain = open_photons(made.write_consolidated(tmp_path / "b.h5")).info
    assert not plain.beammap.flag_notes
    for text in (
        b"x: 1\nflags:\n- a.one\n- 'b.two'\n- c.three\nobs: []\n",
        b"flags: [a.one, 'b.two',\n  c.three]\nobs: 2\n",
    ):
        listed = open_photons(made.write_consolidated(tmp_path / "c.h5", kind="i8", metadata=text)).info
        assert listed.beammap.flag_names == ("a.one", "b.two", "c.three")


@pytest.mark.parametrize("names", [None, b"no list", b"cos\nsystem\n(S'true'\ntR.", ("only.one",)])
def test_an_unknown_flag_list_shows_bits_by_number(names, tmp_path):
    info = open_photons(made.write_modern(tmp_path / "a.h5", names=names)).info
    known = names if isinstance(names, tuple) else ()
    assert info.beammap.flag_names == (*known, *(f"bit {i}" for i in range(len(known), 3)))
    assert any("no list of flag names" in note for note in info.notes) == (not known)


def test_a_photon_list_is_a_dataset_with_its_flags_named(tmp_path):
    path = made.write_modern(tmp_path / "a.fits")  # the suffix does not count
    dataset = open_dataset(path)
    image = dataset.images[0]
    assert (dataset.kind, dataset.photons.nphoton, image.shape) == ("photons", 600, (made.NY, made.NX))
    np.testing.assert_array_equal(image.pixels.raw, made.flags().T)
    assert image.mask_bits.names(0b101) == ("beammap.noDacTone", "pixcal.hot")
    assert {card[0] for card in dataset.hdus[0].cards} >= {"ERA", "UNIXSTR", "FLAG0"}
    assert open_all(path).kind == "photons"
    assert is_photons(path)
    with pytest.raises(UsageError):
        open_dataset(f"{path}[1]")


def test_reading_is_cancelled_and_reports(tmp_path, monkeypatch):
    monkeypatch.setattr(mkid_table, "BLOCK_ROWS", 100)
    source = open_photons(made.write_modern(tmp_path / "a.h5"))
    seen = []
    assert len(list(source.blocks(ctx=JobContext(lambda fraction, text: seen.append(fraction))))) == 6
    assert seen == sorted(seen)
    assert len(seen) > 3
    ctx = JobContext()
    blocks = source.blocks(ctx=ctx)
    next(blocks)
    ctx.cancel()
    with pytest.raises(JobCancelled):
        next(blocks)


@pytest.mark.parametrize("era", WRITERS)
def test_a_file_that_changes_while_open_is_refused(era, tmp_path, monkeypatch):
    monkeypatch.setattr(mkid_table, "BLOCK_ROWS", 100)
    monkeypatch.setattr(mkid_pixels, "BLOCK_ROWS", 100)
    path = WRITERS[era](tmp_path / "a.h5")
    source = open_photons(path)
    blocks = source.blocks()
    next(blocks)
    os.utime(path, ns=(1, 1))
    with pytest.raises(FileFormatError, match="changed while it was open"):
        list(blocks)
    with pytest.raises(FileFormatError, match="changed while it was open"):
        source.photons_of([1])


def test_cut_off_and_foreign_files_say_what_they_are(tmp_path):
    whole = made.write_modern(tmp_path / "a.h5")
    data = Path(whole).read_bytes()
    for size in (9, 200, len(data) // 2, len(data) - 1):
        cut = tmp_path / "cut.h5"
        cut.write_bytes(data[:size])
        with pytest.raises(FileFormatError, match=r"cut off|cannot be read as HDF5|photon|beam map") as problem:
            list(open_photons(cut).blocks())
        assert not any(word in str(problem.value) for word in ("Unable", "sblock", "errno", "synchronously"))
    text = tmp_path / "text.h5"
    text.write_text("not HDF5 at all")
    with pytest.raises(FileFormatError, match="neither HDF5"):
        open_photons(text)
    assert not is_photons(text)
    for missing in ("photons/photontable", "beammap/map", "beammap"):
        path = made.write_modern(tmp_path / "m.h5")
        with h5py.File(path, "r+") as file:
            del file[missing]
        with pytest.raises(MissingDataError, match=r"no photon table|no beam map"):
            open_photons(path)


def test_damaged_bytes_of_photons_are_an_error_or_photons(tmp_path):
    path = made.write_modern(tmp_path / "a.h5")
    data = bytearray(Path(path).read_bytes())
    rng = np.random.default_rng(3)
    for _ in range(40):
        bad = data.copy()
        for at in rng.integers(0, len(bad), 20):
            bad[at] = rng.integers(256)
        (tmp_path / "bad.h5").write_bytes(bad)
        try:
            for _block in open_photons(tmp_path / "bad.h5").blocks(weight=True):
                pass
        except (FileFormatError, MissingDataError) as problem:
            assert len(str(problem)) < 600


def test_columns_and_beam_maps_that_do_not_fit(tmp_path):
    path = made.write_modern(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file["beammap/flag"]
        file["beammap/flag"] = np.zeros((2, 2), int)
    with pytest.raises(FileFormatError, match=r"12|shape|pixels"):
        open_photons(path)
    with h5py.File(path, "r+") as file:
        del file["photons/photontable"]
        file["photons/photontable"] = np.zeros(3, [("resID", "<u4"), ("time", "<u4")])
    with pytest.raises(FileFormatError, match="no column wavelength, weight"):
        open_photons(path)
    with h5py.File(path, "r+") as file:
        del file["photons/photontable"]
        file["photons/photontable"] = np.zeros(
            3, [("resID", "<u4"), ("time", "<f8"), ("wavelength", "<f4"), ("weight", "<f4")]
        )
    with pytest.raises(FileFormatError, match="column time is of type float64"):
        open_photons(path)


def write_map(path, lines):
    path.write_text("\n".join(" ".join(str(word) for word in line) for line in lines) + "\n")
    return os.fspath(path)


def good_lines():
    return [(made.ids()[x, y], 0, x, y) for x in range(made.NX) for y in range(made.NY)]


def test_a_beam_map_text_is_read(tmp_path):
    beammap = read_beammap(write_map(tmp_path / "a.txt", good_lines()))
    np.testing.assert_array_equal(beammap.ids[beammap.index], made.ids().T)
    lines = [(i, 3 if i == 10_004 else 0, f"{x}.60000", f"{y}.10000", 4.5e9) for i, _, x, y in good_lines()]
    lines += [(20_000, 5, 1, 1, 5e9), (20_001, 1, "nan", "nan", 5e9), (20_002, 1, -1, -1, 5e9)]
    path = write_map(tmp_path / "b.txt", lines)
    beammap = read_beammap(path)
    np.testing.assert_array_equal(beammap.ids[beammap.index], made.ids().T)
    assert beammap.flagged(["beammap.yFailed"]).sum() == 1
    assert read_beammap(path, (5, 6)).index[4, 5] == -1


@pytest.mark.parametrize(
    "lines",
    [[], [(1, 2, 3)], [(1, 0, 0, 0), ("x", 0, 1, 0)], [(1, 0, 0, 0), (2, 0)], [(-3, 0, 1, 1)], [(1, 0, 99999, 0)],
     [(1, 1, "nan", "nan")]],
)  # fmt: skip
def test_a_bad_beam_map_is_an_error(lines, tmp_path):
    path = write_map(tmp_path / "a.txt", lines)
    with pytest.raises(FileFormatError):
        read_beammap(path)


def test_a_beam_map_given_must_have_the_size_of_the_array(tmp_path):
    path = made.write_modern(tmp_path / "a.h5")
    small = write_map(tmp_path / "small.txt", [(10_000, 0, 0, 0), (10_001, 0, 1, 1)])
    with pytest.raises(FileFormatError, match="2 x 2 pixels, the file 4 x 3"):
        open_photons(path, small)
    with pytest.raises(FileFormatError, match="needs 2 x 2"):
        read_beammap(small, (1, 1))
    flipped = write_map(tmp_path / "b.txt", [(i, 0, made.NX - 1 - x, y) for i, _, x, y in good_lines()])
    given = open_photons(path, flipped).info.beammap
    np.testing.assert_array_equal(given.ids[given.index], made.ids()[::-1].T)
    with h5py.File(path, "r+") as file:
        del file["beammap"]
    assert isinstance(open_photons(path, given).info.beammap, Beammap)


# the shared reference files


def test_the_reference_file_equals_its_truth(shared_data):
    truth = np.load(shared_data / "mkid/truth.npz")
    source = open_photons(shared_data / "mkid/science.h5")
    beammap = source.info.beammap
    edges = truth["cube_edges"]
    counts = np.zeros(beammap.nresonator + 1, np.int64)
    cube = np.zeros((4, beammap.nresonator + 1), np.int64)
    for block in source.blocks():
        counts += np.bincount(block.resonator, minlength=len(counts))
        for i in range(4):
            inside = (block.value >= edges[i]) & (block.value < edges[i + 1])
            cube[i] += np.bincount(block.resonator[inside], minlength=len(counts))
    np.testing.assert_array_equal(beammap.image(counts), truth["counts"].T)
    np.testing.assert_array_equal(beammap.image(cube), truth["cube"].transpose(0, 2, 1))
    np.testing.assert_array_equal(beammap.flags.astype(np.int64), truth["flags"].T)
    np.testing.assert_array_equal(beammap.ids[beammap.index], truth["resid"].T)
    x, y = truth["light_pixel"]
    curve = source.photons_of([beammap.index[y, x]])
    np.testing.assert_array_equal(np.bincount(curve.time // 10_000, minlength=3000), truth["light_curve_10ms"])
    assert source.info.calibrations == {"wavecal": "wavecal_A", "pixcal": "threshold"}
    assert source.info.header["AIRMASS"]["values"] == [1.021, 1.022, 1.024]
    assert source.info.notes == ()


def test_the_old_reference_files_hold_the_first_second_of_the_new(shared_data):
    folder = shared_data / "mkid"
    new = open_photons(folder / "science.h5")
    resonator, time, value, _ = everything(new)
    first = time < 1_000_000
    old = open_photons(folder / "old_obsfile.h5")
    for mine, other in zip(everything(old), (resonator[first], time[first], value[first])):
        np.testing.assert_array_equal(mine, other)
    assert old.info.beammap.shape == (125, 80)
    assert old.info.beammap.flag_notes
    cut = open_photons(folder / "old_perpixel.h5")
    ids, times, *_ = everything(cut)
    inside = first & np.isin(resonator, cut.info.beammap.ids)
    np.testing.assert_array_equal(ids, resonator[inside])
    np.testing.assert_array_equal(times, time[inside])


def test_the_reference_beam_map_and_calibrations(shared_data):
    folder = shared_data / "mkid"
    truth = np.load(folder / "truth.npz")
    beammap = read_beammap(os.fspath(folder / "beammap.txt"))
    np.testing.assert_array_equal(beammap.ids[beammap.index], truth["resid"].T)
    value = truth["beamflag_file"].T
    np.testing.assert_array_equal(
        beammap.flags, np.where(value > 0, 1 << np.maximum(value - 1, 0), 0).astype(np.uint64)
    )
    with pytest.raises(FileFormatError, match="wavelength solution"):
        open_dataset(os.fspath(folder / "calsol_old.h5"))
    with pytest.raises(FileFormatError, match="flat solution"):
        open_dataset(os.fspath(folder / "flatcalsoln_old1.h5"))


def test_raw_packets_come_through_the_same_door(shared_data):
    folder = shared_data / "mkid"
    truth = np.load(folder / "truth_bin.npz")
    source = open_photons(folder / "bin", folder / "beammap.txt")
    beammap = source.info.beammap
    counts = np.bincount(np.concatenate([b.resonator.copy() for b in source.blocks()]), minlength=beammap.nresonator)
    np.testing.assert_array_equal(beammap.image(counts), truth["counts"].T)
    dataset = open_dataset(os.fspath(folder / "bin/1545552791.bin"))
    assert (dataset.kind, dataset.images[0].shape) == ("photons", (125, 80))


def test_a_quick_frame_is_an_image(tmp_path):
    counts = np.arange(80 * 125, dtype="<u2").reshape(80, 125)
    path = tmp_path / "1500000000.img"
    counts.tofile(path)
    dataset = open_dataset(os.fspath(path))
    assert (dataset.kind, dataset.photons) == ("quick frame", None)
    np.testing.assert_array_equal(dataset.images[0].pixels.raw, counts.T)
    counts[:-1].tofile(path)
    with pytest.raises(FileFormatError):
        open_dataset(os.fspath(path))


def test_pulse_heights_are_no_degrees(tmp_path):
    from ifuview.app.photons import lists as photons
    from ifuview.app.photons.units import value_span, value_unit
    from ifuview.engine.photons.counting.cube import default_edges
    from ifuview.io.photons.index.build import build_index
    from ifuview.io.photons.index.index import open_index
    from ifuview.io.photons.products import write_product
    from ifuview.model.photons.images import value_name

    path = made.write_packed(tmp_path / "a.h5", made.photons())
    source = open_photons(path)
    values = everything(source)[2]
    build_index(open_photons(path))
    for info in (source.info, open_index(path).info):
        edges, span = default_edges(info), value_span(info)
        assert edges[0] <= values.min() and values.max() < edges[-1] and span == (edges[0], edges[-1])
        assert (value_name(info), value_unit(info)) == ("Pulse height", "adu")
    cube = photons.cube(source, "phase", photons.cut(source.info, exclude=()))
    assert cube.counts.sum() == photons.image(source, photons.cut(source.info, exclude=())).total
    write_product(tmp_path / "c.fits", cube)
    from astropy.io import fits

    assert fits.getheader(tmp_path / "c.fits", "CUBE_EDGES")["UNIT"] == "adu"
