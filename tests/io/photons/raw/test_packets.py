"""Raw packets: every photon, at its time, in its pixel; and what is wrong with files is said."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.io.photons.raw.beammap_text import read_beammap
from ifuview.io.photons.raw.packet_files import unix_stamps
from ifuview.io.photons.raw.packets import BASELINE_LSB, HEIGHT_LSB, is_packets, open_packets
from ifuview.model.photons.lists import Beammap

SECOND = 1545552791
YEAR = round(datetime(2018, 1, 1, tzinfo=UTC).timestamp())


def header(unix: float, frame: int = 0) -> int:
    stamp = round((unix - YEAR) * 2000) % ((1 << 20) * 2000)
    return 0xFF << 56 | 112 << 48 | frame << 36 | stamp


def photon(x: int, y: int, t9: int, height: int, baseline: int) -> int:
    return x << 54 | y << 44 | t9 << 35 | (height & 0x3FFFF) << 17 | baseline & 0x1FFFF


def put(folder, second, words):
    path = folder / f"{second}.bin"
    path.write_bytes(np.array(words, ">u8").tobytes())
    return path


def small_map(ny=4, nx=3):
    index = np.arange(ny * nx).reshape(ny, nx)
    return Beammap(np.arange(ny * nx) * 10 + 7, index, np.zeros((ny, nx), np.uint64))


def everything(source):
    blocks = [(b.resonator.copy(), b.time.copy(), b.value.copy()) for b in source.blocks()]
    return [np.concatenate(column) for column in zip(*blocks)]


def test_photons_have_place_time_and_phase(tmp_path):
    words = [
        header(SECOND + 0.0005), photon(0, 0, 499, -70000, 100), photon(2, 3, 7, -1, -300), photon(511, 0, 0, 0, 0),
        header(SECOND + 0.25), photon(1, 2, 0, 131071, 65535),
    ]  # fmt: skip
    source = open_packets(put(tmp_path, SECOND, words), small_map())
    resonator, time, value = everything(source)
    assert resonator.tolist() == [0, 11, 7]
    assert time.tolist() == [999, 507, 250000]
    height, baseline = np.array([-70000, -1, 131071]), np.array([100, -300, 65535])
    assert np.allclose(value, height * HEIGHT_LSB + (baseline - 100) * BASELINE_LSB, rtol=1e-6)
    assert source.info.nphoton == 3
    assert (source.info.start, source.info.duration) == (SECOND, 1)
    raw = everything(open_packets(put(tmp_path, SECOND, words), small_map(), raw_peak=True))[2]
    assert np.allclose(raw, height * HEIGHT_LSB, rtol=1e-6)


def test_rows_are_sorted_and_those_of_one_time_stay_as_they_came(tmp_path):
    words = [header(SECOND + 0.5), *(photon(1, 1, 9, k, 0) for k in (3, 1, 2)), header(SECOND), photon(1, 1, 8, 5, 0)]
    source = open_packets(put(tmp_path, SECOND, words), small_map(), raw_peak=True)
    block = next(source.sorted_blocks())
    assert block.time.tolist() == [8, 500009, 500009, 500009]
    assert np.allclose(block.value / HEIGHT_LSB, [5, 3, 1, 2])
    assert np.array_equal(source.photons_of([4]).value, block.value)
    assert len(source.photons_of([3]).time) == 0


def test_photons_before_the_first_header_and_outside_the_array_are_counted(tmp_path):
    words = [photon(0, 0, 1, 1, 1), header(SECOND), photon(0, 0, 1, 1, 1), photon(3, 0, 1, 1, 1), photon(0, 4, 1, 1, 1)]
    source = open_packets(put(tmp_path, SECOND, words), small_map())
    assert source.info.nphoton == 1
    assert any("1 photon is left out: no usable time" in note for note in source.info.notes)
    assert any("2 photons of pixels that the array does not have" in note for note in source.info.notes)


def test_without_a_beam_map_pixels_are_named_by_their_place(tmp_path):
    words = [header(SECOND), photon(79, 124, 0, 1, 0), photon(5, 2, 0, 1, 0)]
    info = open_packets(put(tmp_path, SECOND, words)).info
    assert info.beammap.shape == (125, 80)
    assert info.beammap.ids[info.beammap.index[2, 5]] == 5 * 125 + 2
    assert "No beam map" in info.notes[0]
    assert open_packets(put(tmp_path, SECOND, [header(SECOND), photon(200, 10, 0, 1, 0)])).info.beammap.shape == (
        11,
        201,
    )


def test_packets_late_or_early_belong_to_their_own_second(tmp_path):
    put(tmp_path, SECOND, [header(SECOND - 0.001), photon(0, 0, 0, 1, 0), header(SECOND + 0.5), photon(0, 0, 0, 2, 0)])
    put(
        tmp_path,
        SECOND + 1,
        [header(SECOND + 0.9995), photon(1, 0, 1, 3, 0), header(SECOND + 2), photon(1, 0, 1, 4, 0)],
    )
    whole = open_packets(tmp_path, small_map())
    assert (whole.info.start, whole.info.duration, whole.info.nphoton) == (SECOND - 1, 4, 4)
    cut = open_packets(tmp_path, small_map(), start=SECOND, duration=1, raw_peak=True)
    assert everything(cut)[1].tolist() == [500000, 999501]
    assert "No 1545552790.bin:" in cut.info.notes[0]
    half = open_packets(tmp_path, small_map(), start=SECOND + 0.5, duration=0.25)
    assert everything(half)[1].tolist() == [0]


@pytest.mark.parametrize(
    "when",
    [YEAR + 5, YEAR + (1 << 20) - 0.5, YEAR + (1 << 20), YEAR + 30 * (1 << 20) + 12.5, SECOND + 0.125],
)
def test_the_counter_of_seconds_starts_anew(when):
    for late in (-1, 0, 1, 2):
        unix, fine = unix_stamps(np.array([header(when)], np.uint64), int(when) + late)
        assert fine.all()
        assert unix[0] == round(when * 2000)


def test_new_year_is_told_by_the_second_of_the_file():
    after = np.array([1000], np.uint64)  # half a second into 2019
    new_year = round(datetime(2019, 1, 1, tzinfo=UTC).timestamp())
    assert unix_stamps(after, new_year - 1)[0][0] == new_year * 2000 + 1000
    before = np.array([(new_year - YEAR) * 2000 - 2], np.uint64)
    assert unix_stamps(before, new_year)[0][0] == new_year * 2000 - 2


def test_missing_seconds_are_notes(tmp_path):
    for second in (SECOND, SECOND + 3):
        put(tmp_path, second, [header(second), photon(0, 0, 0, 1, 0)])
    assert (
        "2 packet files are missing in between (1545552792.bin to 1545552793.bin)"
        in open_packets(tmp_path, small_map()).info.notes[0]
    )
    notes = " ".join(open_packets(tmp_path, small_map(), start=SECOND - 2, duration=4).info.notes)
    assert "2 s after the start" in notes
    assert "1 s before the end" in notes


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xff" * 12, "cut off within a word"),
        (np.random.default_rng(1).bytes(80_000), "holds no packets"),
        (b"\0" * 8000, "holds no packets"),
        (b"SIMPLE  =                    T", "cut off within"),
        (np.array([header(SECOND + 5000), photon(0, 0, 0, 0, 0)], ">u8").tobytes(), "holds no packets of the second"),
    ],
)
def test_what_is_no_packet_file_is_said_in_one_sentence(tmp_path, content, text):
    path = tmp_path / f"{SECOND}.bin"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=text) as problem:
        open_packets(path)
    assert "\n" not in str(problem.value)


def test_wishes_that_make_no_sense(tmp_path):
    path = put(tmp_path, SECOND, [header(SECOND), photon(0, 0, 0, 1, 0)])
    with pytest.raises(MissingDataError, match="no packet file of the seconds"):
        open_packets(path, start=SECOND + 10, duration=1)
    with pytest.raises(UsageError, match="duration"):
        open_packets(path, start=SECOND, duration=-1)
    with pytest.raises(MissingDataError, match="no photon"):
        open_packets(path, start=SECOND + 0.5, duration=0.1)
    with pytest.raises(MissingDataError, match="no such file"):
        open_packets(tmp_path / "no")
    with pytest.raises(FileFormatError, match="not named for the second"):
        path.rename(tmp_path / "a.bin")
        open_packets(tmp_path / "a.bin")
    (tmp_path / "a.bin").unlink()
    with pytest.raises(MissingDataError, match="no packet files"):
        open_packets(tmp_path)


def test_a_folder_that_spans_too_long_is_refused(tmp_path):
    for second in (SECOND, SECOND + 5000):
        put(tmp_path, second, [header(second), photon(0, 0, 0, 1, 0)])
    with pytest.raises(FileFormatError, match="choose at most"):
        open_packets(tmp_path, small_map())


def test_packets_are_known_by_their_headers(tmp_path):
    assert is_packets(put(tmp_path, SECOND, [header(SECOND), photon(0, 0, 0, 1, 0)]))
    assert is_packets(tmp_path)
    other = tmp_path / "frame.bin"
    other.write_bytes(b"\0" * 800)
    assert not is_packets(other)
    assert not is_packets(tmp_path / "no.bin")


def test_the_reference_packets_are_read_exactly(shared_data):
    folder = shared_data / "mkid"
    if not (folder / "truth_bin.npz").exists():
        pytest.skip("no reference packets")
    truth = np.load(folder / "truth_bin.npz")
    source = open_packets(folder / "bin", read_beammap(str(folder / "beammap.txt")), raw_peak=True)
    counts = source.info.beammap.image(source.per_resonator)
    assert np.array_equal(counts.T, truth["counts"])
    _resonator, time, value = everything(source)
    assert time.sum(dtype=np.int64) == truth["time_sum"]
    assert np.rint(value / HEIGHT_LSB).astype(np.int64).sum() == truth["peak_sum"]
    first = open_packets(folder / "bin" / f"{SECOND}.bin", raw_peak=True)
    block = next(first.sorted_blocks())
    assert np.array_equal(block.resonator, truth["pixel"])
    assert np.array_equal(block.time, truth["time_us"])
    assert np.array_equal(np.rint(block.value / HEIGHT_LSB), truth["peak"])
    phase = next(open_packets(folder / "bin" / f"{SECOND}.bin").sorted_blocks()).value
    baseline = truth["baseline"] - np.median(truth["baseline"])
    assert np.allclose(phase, truth["peak"] * HEIGHT_LSB + baseline * BASELINE_LSB, rtol=1e-6, atol=1e-5)


def test_a_folder_of_packets_opens_as_one_list(shared_data):
    from ifuview import io

    dataset = io.open_dataset(str(shared_data / "mkid" / "bin"))
    assert dataset.kind == "photons"
    assert dataset.photons.nphoton == 205206


def test_a_beam_map_of_a_larger_array_is_told_of(tmp_path):
    from ifuview.io.photons.raw.beammap_text import SIZES

    small, large = sorted(SIZES)[0], sorted(SIZES)[-1]
    x, y = np.divmod(np.arange(small[0] * small[1]), small[1])
    packets = [[header(SECOND), *(photon(int(i), int(j), 0, 1, 0) for i, j in zip(x[k : k + 90], y[k : k + 90]))]
               for k in range(0, len(x), 90)]  # fmt: skip
    put(tmp_path, SECOND, [word for packet in packets for word in packet])

    def notes(size):
        index = np.arange(size[0] * size[1]).reshape(size).T
        return open_packets(
            tmp_path, Beammap(np.arange(index.size), index, np.zeros(index.shape, np.uint64))
        ).info.notes

    assert not any("another array" in note for note in notes(small))
    expected = f"The beam map has {large[0]} x {large[1]} pixels, but no photon lies outside {small[0]} x {small[1]}"
    assert any(note.startswith(expected) for note in notes(large))
