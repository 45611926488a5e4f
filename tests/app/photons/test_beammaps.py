"""Beam maps of raw packets: found beside them, kept with their index, refused for lists that have one."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app.photons import beammaps
from ifuview.app.photons.counting import counts as counting
from ifuview.errors import UsageError
from ifuview.model.photons.lists import SortedColumns
from tests.app.photons.photon_files import write_files
from tests.io.photons.raw.test_packets import SECOND, header, photon, put

NX, NY = 80, 125


def beammap_text(path, flag=0, first=10000):
    """A beam map whose resonators are numbered against the places of their pixels."""
    lines = [f"{first + n} {flag} {x} {y}" for n, (y, x) in enumerate(np.ndindex(NY, NX))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def words_of(places):
    """Packets of 50 photons each."""
    photons = [photon(x, y, 1 + n % 400, -9000, 0) for n, (x, y) in enumerate(places)]
    parts = range(0, len(photons), 50)
    return [word for n in parts for word in (header(SECOND + n / 1e5, n // 50), *photons[n : n + 50])]


@pytest.fixture
def packets(tmp_path):
    folder = tmp_path / "night" / "bin"
    folder.mkdir(parents=True)
    random = np.random.default_rng(2)
    places = [(int(random.integers(NX)), int(random.integers(NY))) for _ in range(500)]
    put(folder, SECOND, words_of(places))
    return folder, places


def test_the_one_map_beside_packets_is_theirs(packets, tmp_path):
    folder, places = packets
    assert beammaps.beside(str(folder)) == ""
    path = beammap_text(folder.parent / "beammap_final.txt")
    assert beammaps.beside(str(folder)) == path
    frame = counting.open_frame(str(folder), "bin")
    assert frame.beammap == path
    x, y = places[0]
    beammap = frame.source.info.beammap
    assert beammap.ids[beammap.index[y, x]] == 10000 + y * NX + x
    assert "Pixels are placed by beammap_final.txt." in frame.source.info.notes
    beammap_text(folder.parent / "other.bmap")
    assert beammaps.beside(str(folder)) == ""  # which one cannot be told
    assert counting.open_frame(str(folder), "bin").beammap == ""


def test_the_index_has_the_map_and_another_map_makes_another(packets, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder, places = packets
    one, two = beammap_text(tmp_path / "a.txt"), beammap_text(tmp_path / "b.txt", first=50000)
    expected = np.zeros((NY, NX), int)
    for x, y in places:
        expected[y, x] += 1
    for path, first in ((one, 10000), (one, 10000), (two, 50000)):
        frame = counting.open_frame(str(folder), "bin", beammap=path)
        raw, _, live = counting.made_live(frame)
        assert isinstance(raw, SortedColumns)
        assert raw.info.beammap.ids[0] == first
        np.testing.assert_array_equal(live.image(frame.cut).counts, expected)
        assert isinstance(counting.open_frame(str(folder), "bin", beammap=path).source, SortedColumns)


def test_a_list_with_a_map_of_its_own_keeps_it(tmp_path):
    path = write_files(tmp_path, 0.5).photons
    with pytest.raises(UsageError, match="beam map of its own"):
        beammaps.opened(path, beammap_text(tmp_path / "map.txt"))
    beammap_text(tmp_path / "beammap.txt")
    assert counting.open_frame(path, "science").beammap == ""
