"""The photon tables that are written are what PyTables and the published reader expect."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled, UsageError
from ifuview.io.photons.lists.attrs import pickled
from ifuview.io.photons.lists.write import write_photons
from ifuview.io.safe.pickle import plain
from ifuview.model.photons.lists import NO_RESONATOR, PhotonBlock, PhotonColumn, PhotonInfo
from ifuview.simulate.photons.lists import simulate_photons
from tests.io.photons.published import published_reader

h5py = pytest.importorskip("h5py")
pytest.importorskip("hdf5plugin")

RESOLUTION = np.array(  # smooth: the published reader follows a spline of it
    [(8.8, 0.7, 808), (8.3, 0.6, 920), (8.0, 0.6, 980), (7.5, 0.6, 1120), (6.9, 0.5, 1310)],
    [("r", "<f4"), ("r_err", "<f4"), ("wave", "<f4")],
)
HEADER = {
    "AIRMASS": {"times": [1.0, 2.0], "values": [1.02, 1.05]}, "RA": "18:36:56.3", "wavecal.resolution": RESOLUTION,
    "E_DEVANG": 0.5, "pixcal.step": 30, "comments": ["a\nb", "é \\ ħ 𝄞", None, True, 2.5, 1 << 40],
}  # fmt: skip


@cache
def photons():
    return simulate_photons(duration=1.0)


@pytest.fixture
def written(tmp_path):
    source, truth = photons()
    info = replace(source.info, header=HEADER)
    blocks = ((block, {"phase": truth.phase}) for block in source.blocks())
    assert write_photons(tmp_path / "o.h5", blocks, info, extra={"phase": "f4"}) == ()
    return tmp_path / "o.h5"


def test_rows_flags_and_beammap_are_kept(written):
    source, truth = photons()
    beammap = source.info.beammap
    with h5py.File(written) as file:
        table, own = file["photons/photontable"], file["photons/photontable"][:]
        assert np.array_equal(own["resID"], beammap.ids[source.resonator])
        assert np.array_equal(own["time"], source.time)
        assert np.array_equal(own["wavelength"], source.value)
        assert (own["weight"] == 1).all()
        assert np.array_equal(file["original/phase"][:], truth.phase)
        assert np.array_equal(file["beammap/map"][:], beammap.ids[beammap.index].T)
        assert np.array_equal(file["beammap/flag"][:], beammap.flags.T)
        assert file["beammap/map"].dtype == np.dtype("<i8")
        assert table.chunks == (250,)
        assert table.id.get_create_plist().get_filter(0)[::2] == (32001, (2, 2, 16, 4000, 1, 1, 1))
        assert plain(bytes(table.attrs["flags"])) == beammap.flag_names


def test_attributes_are_encoded_as_by_the_published_writer(written, shared_data):
    """Class, type, character set and extent of every attribute that both files have."""
    path = shared_data / "mkid/science.h5"
    if not path.exists():
        pytest.skip("no reference photon list")
    own, reference = encodings(written), encodings(path)
    both = set(own) & set(reference) - {("/photons/photontable", name) for name in ("E_BMAP", "data_path")}
    assert len(both) > 40
    assert {key: own[key] for key in both} == {key: reference[key] for key in both}
    missing = {name for node, name in set(reference) - set(own)}
    assert missing == {"DEC", "EQUINOX", "E_CONEXX", "E_CONEXY", "E_PLTSCL", "E_WAVCAL", "TELESCOP", "pixcal.method"}


def encodings(path):
    found = {}
    with h5py.File(path) as file:
        for node in ("/", "/photons", "/beammap", "/beammap/map", "/beammap/flag", "/photons/photontable"):
            for name in file[node].attrs:
                attribute = h5py.h5a.open(file[node].id, name.encode())
                kind, extent = attribute.get_type(), attribute.get_space().get_simple_extent_type()
                text = kind.get_class() == h5py.h5t.STRING
                detail = (kind.get_strpad(), kind.get_cset()) if text else str(kind.dtype)
                found[node, name] = kind.get_class(), detail, extent
    return found


def test_pytables_opens_and_queries_it(written):
    tables = pytest.importorskip("tables")
    source, truth = photons()
    with tables.open_file(written) as file:
        table = file.root.photons.photontable
        assert isinstance(table, tables.Table)
        first = int(source.info.beammap.ids[source.resonator[0]])
        found = table.read_where(f"(resID == {first}) & (time < 500000)")
        assert len(found) == np.count_nonzero((source.resonator == source.resonator[0]) & (source.time < 500000))
        assert table.attrs.flags == source.info.beammap.flag_names
        assert table.attrs.comments == HEADER["comments"]
        assert table.attrs.wavecal == "simulated"
        assert table.attrs.flatcal == ""
        assert bool(table.attrs.lincal) is False
        assert table.attrs.EXPTIME == 1
        assert np.array_equal(file.root.original.phase[:], truth.phase)


def test_the_published_reader_opens_and_queries_it(written, tmp_path):
    source, _ = photons()
    code = """
        from mkidpipeline.photontable import Photontable
        import mkidpipeline.pipeline
        t = Photontable(sys.argv[1])
        out.update(names=list(t.flags.names), wave=bool(t.wavelength_calibrated), exposure=int(t.duration),
                   airmass=t.query_header("AIRMASS").values, rows=len(t.query()),
                   second=len(t.query(start=0.25, intt=0.5)), wave_rows=len(t.query(startw=800, stopw=1000)),
                   pixel=len(t.query(pixel=(5, 7))), bad=int(t.bad_pixel_mask.sum()))
    """
    found = published_reader(code, written)
    value, time = source.value, source.time
    assert found == {
        "names": list(source.info.beammap.flag_names), "wave": True, "exposure": 1, "airmass": [1.02, 1.05],
        "rows": len(time), "second": int(((time >= 250000) & (time < 750000)).sum()),
        "wave_rows": int(((value >= 800) & (value < 1000)).sum()),
        "pixel": int((source.resonator == source.info.beammap.index[7, 5]).sum()),
        "bad": int(source.info.beammap.flagged(("beammap.noDacTone", "wavecal.bad")).sum()),
    }  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        *(v for k, v in HEADER.items() if k != "wavecal.resolution"),
        (),
        [],
        ("a",),
        {"a": {"b": [1, -2]}},
        "\0\r\x1a",
        np.float32(2),
    ],
)
def test_pickles_by_hand_say_what_was_meant(value):
    if value != HEADER["AIRMASS"]:  # needs the class of its writer
        assert pickle.loads(pickled(value).encode("ascii")) == value
    assert plain(pickled(value).encode("ascii")) == value


def test_what_cannot_be_kept_is_said(tmp_path):
    source, _ = photons()
    header = {"long": "x" * 70_000, "what": "opaque: object", "kind": {1, 2}, "TITLE": "not mine", "fine": 1}
    notes = write_photons(tmp_path / "o.h5", source, header=header)
    assert len(notes) == 3
    assert all(any(name in note for note in notes) for name in ("long", "what", "kind"))
    with h5py.File(tmp_path / "o.h5") as file:
        assert file["photons/photontable"].attrs["fine"] == 1
        assert file["photons/photontable"].attrs["TITLE"] == b"Photon Datatable"


def test_small_blocks_strays_weights_and_disorder(tmp_path):
    source, _ = photons()
    n = source.info.beammap.nresonator
    blocks = [
        PhotonBlock(np.array([3, n], np.int32), np.array([5, 6], np.uint32), np.array([1, 2], np.float32)),
        PhotonBlock(np.array([], np.int32), np.array([], np.uint32), np.array([], np.float32)),
        PhotonBlock(np.array([1], np.int32), np.array([4], np.uint32), None, np.array([0.5], np.float32)),
    ]
    info = replace(source.info, nphoton=-1, column=PhotonColumn.PHASE, calibrations={}, duration=2.5, start=10.25)
    notes = write_photons(tmp_path / "o.h5", blocks, info)
    assert "1 photon of an unknown resonator is kept" in notes[0]
    assert "not sorted" in notes[1]
    with h5py.File(tmp_path / "o.h5") as file:
        table = file["photons/photontable"]
        ids = source.info.beammap.ids
        assert table["resID"].tolist() == [ids[3], NO_RESONATOR, ids[1]]
        assert table["weight"].tolist() == [1, 1, 0.5]
        assert table.attrs["NROWS"] == 3
        assert isinstance(table.attrs["wavecal"], h5py.Empty)
        assert (table.attrs["UNIXSTR"], table.attrs["EXPTIME"]) == (10.25, 2.5)


def test_an_empty_list_is_a_file(tmp_path):
    source, _ = photons()
    write_photons(tmp_path / "o.h5", [], source.info)
    with h5py.File(tmp_path / "o.h5") as file:
        assert file["photons/photontable"].shape == (0,)


def test_a_cancelled_or_failed_write_leaves_what_was_there(tmp_path):
    source, _ = photons()
    path = tmp_path / "o.h5"
    path.write_bytes(b"before")
    ctx = JobContext()
    ctx.cancel()
    with pytest.raises(JobCancelled):
        write_photons(path, source, ctx=ctx)

    def breaking():
        yield from source.blocks()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_photons(path, breaking(), source.info)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["o.h5"]


def test_the_input_is_not_overwritten_and_a_missing_folder_is_one_sentence(written, tmp_path):
    source, _ = photons()
    with pytest.raises(UsageError, match="would overwrite"):
        write_photons(written, source.blocks(), replace(source.info, path=str(written)))
    with pytest.raises(UsageError, match="cannot be written"):
        write_photons(tmp_path / "no/o.h5", source)
    with pytest.raises(UsageError, match="without a description"):
        write_photons(tmp_path / "o.h5", source.blocks())


def test_progress_rises_to_the_end(tmp_path):
    source, _ = photons()
    seen = []
    info: PhotonInfo = source.info
    cuts = range(0, info.nphoton, 5000)
    blocks = (
        PhotonBlock(source.resonator[k : k + 5000], source.time[k : k + 5000], source.value[k : k + 5000]) for k in cuts
    )
    write_photons(tmp_path / "o.h5", blocks, info, ctx=JobContext(lambda f, text: seen.append(f)))
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_no_pytables_is_needed():
    code = "import ifuview.io.photons.lists.write, sys; assert not {'tables', 'h5py'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_written_is_read_back(written):
    from ifuview.io.photons.opening import open_photons

    source, _ = photons()
    found = open_photons(str(written))
    assert found.info.nphoton == source.info.nphoton
    assert found.info.beammap.flag_names == source.info.beammap.flag_names
    assert np.array_equal(found.info.beammap.flags, source.info.beammap.flags)
    assert np.array_equal(
        found.info.beammap.ids[found.info.beammap.index], source.info.beammap.ids[source.info.beammap.index]
    )
    assert found.info.calibrations["wavecal"] == "simulated"
    assert found.info.column is PhotonColumn.WAVELENGTH
    assert found.info.header["AIRMASS"] == HEADER["AIRMASS"]
    assert (found.info.start, found.info.duration) == (source.info.start, source.info.duration)
    blocks = [(b.resonator.copy(), b.time.copy(), b.value.copy()) for b in found.blocks()]
    for column, own in zip(zip(*blocks), (source.resonator, source.time, source.value)):
        assert np.array_equal(np.concatenate(column), own)
