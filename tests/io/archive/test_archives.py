"""Paths that lead through archives: every packing, and everything that may be wrong with one."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ifuview import io as ifuview_io
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.files import size_and_time
from ifuview.io.archive import store
from ifuview.io.archive.paths import first_bytes, is_folder, leads_inside, member_bytes
from ifuview.io.archive.store import ArchiveStore, is_archive
from ifuview.io.archive.walk import files_below
from ifuview.io.mapping import GUARDED
from ifuview.io.night.exposures import scan

MIB = 1 << 20
PACK = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}


@pytest.fixture(autouse=True)
def own_store(monkeypatch):
    """A store of its own, so that tests do not share what they inflated."""
    fresh = ArchiveStore()
    monkeypatch.setattr("ifuview.io.archive.paths.STORE", fresh)
    monkeypatch.setattr("ifuview.io.archive.walk.STORE", fresh)
    return fresh


def tar(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def fits_bytes(value: int) -> bytes:
    cards = ["SIMPLE  =                    T", "BITPIX  =                   16", "NAXIS   =                    2"]
    cards += ["NAXIS1  =                    6", "NAXIS2  =                    4", "END"]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    return header + np.full(24, value, ">i2").tobytes().ljust(2880, b"\0")


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("called", ["obs.tar", "obs"])
def test_a_file_inside_an_archive_opens_like_any_other(tmp_path, packing, called):
    path = tmp_path / called  # the name does not say how it is packed
    path.write_bytes(PACK[packing](tar(("a/one.fits", fits_bytes(7)), ("a/two.fits", fits_bytes(9)))))
    assert is_archive(str(path))
    dataset = ifuview_io.open_dataset(f"{path}/a/two.fits")
    assert np.all(dataset.images[0].pixels.native() == 9)
    assert os.listdir(tmp_path) == [called]


@pytest.mark.parametrize("inner", PACK)
@pytest.mark.parametrize("outer", PACK)
def test_an_archive_inside_an_archive_is_a_folder_too(tmp_path, outer, inner):
    path = tmp_path / "20181201.tar"
    night = PACK[inner](tar(("lrs2/exp01/x.fits", fits_bytes(5))))
    path.write_bytes(PACK[outer](tar(("20181201/obs.tar", night), ("20181201/readme", b"text"))))
    found = [entry.path for entry in files_below(str(path), [])]
    assert found == [f"{path}/20181201/obs.tar/lrs2/exp01/x.fits", f"{path}/20181201/readme"]
    assert bytes(member_bytes(found[0])) == fits_bytes(5)
    assert is_folder(f"{path}/20181201/obs.tar/lrs2")
    assert not is_folder(found[0])
    assert leads_inside(found[0])


def test_a_packed_file_inside_an_archive_is_inflated(tmp_path):
    path = tmp_path / "obs.tar"
    path.write_bytes(tar(("one.fits.gz", gzip.compress(fits_bytes(3)))))
    assert np.all(ifuview_io.open_dataset(f"{path}/one.fits.gz").images[0].pixels.native() == 3)


def test_a_plain_archive_is_mapped_and_a_packed_one_inflated_once(tmp_path, own_store, monkeypatch):
    plain, packed = tmp_path / "plain.tar", tmp_path / "packed.tar"
    data = tar(("one", os.urandom(MIB)))
    plain.write_bytes(data)
    packed.write_bytes(lzma.compress(data))
    calls = []
    monkeypatch.setattr(store, "inflated", lambda *args: calls.append(1) or inflated(*args))
    from ifuview.io.archive.inflate import inflated

    for _ in range(3):
        assert member_bytes(f"{plain}/one") == member_bytes(f"{packed}/one")
    assert len(calls) == 1
    assert own_store.size == len(data)


def test_the_oldest_archive_goes_first_when_memory_ends(tmp_path, own_store):
    for n in range(3):
        (tmp_path / f"{n}.tar.gz").write_bytes(gzip.compress(tar(("one", os.urandom(MIB)))))
    own_store.most = int(2.5 * MIB)
    for n in (0, 1, 0, 2):
        member_bytes(f"{tmp_path}/{n}.tar.gz/one")
    assert [os.path.basename(path) for path in own_store._held] == ["0.tar.gz", "2.tar.gz"]
    assert own_store.size <= own_store.most


@pytest.mark.parametrize("packing", ["tar.gz", "tar.bz2", "tar.xz"])
def test_what_grows_beyond_the_limit_is_refused_before_it_fills_memory(tmp_path, own_store, packing):
    import tracemalloc

    bomb = tmp_path / f"bomb.{packing}"
    bomb.write_bytes(PACK[packing](tar(("zeros", bytes(48 * MIB)))))
    assert bomb.stat().st_size < MIB
    own_store.most = 8 * MIB
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=r"takes more than 8 MiB inflated; raise the memory limit"):
        member_bytes(f"{bomb}/zeros")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * own_store.most
    assert own_store.size == 0


def test_archives_that_nothing_is_read_from_any_more_go(tmp_path, own_store):
    paths = [tmp_path / f"{n}.tar" for n in range(3)]
    for path in paths:
        path.write_bytes(lzma.compress(tar(("x.fits", fits_bytes(3)))))
        own_store.tar(str(path))
    own_store.keep_only([str(paths[1])])
    assert list(own_store._held) == [str(paths[1])]


def test_an_archive_that_changed_is_read_anew(tmp_path):
    path = tmp_path / "obs.tar"
    path.write_bytes(tar(("one", b"old")))
    assert bytes(member_bytes(f"{path}/one")) == b"old"
    replaced = tmp_path / "new"
    replaced.write_bytes(tar(("one", b"newer"), ("two", b"")))
    os.replace(replaced, path)
    assert bytes(member_bytes(f"{path}/one")) == b"newer"


def test_names_that_lead_out_and_members_there_twice_are_said(tmp_path):
    path = tmp_path / "obs.tar"
    path.write_bytes(tar(("../out.fits", b"x"), ("/etc/passwd", b"y"), ("./a", b"1"), ("a", b"2"), ("b/../../c", b"z")))
    notes: list[str] = []
    found = {os.path.relpath(entry.path, path): entry for entry in files_below(str(path), notes)}
    assert set(found) == {"a", "etc/passwd"}
    assert bytes(member_bytes(f"{path}/a")) == b"2"
    assert len(notes) == 2
    assert "../out.fits, b/../../c" in notes[0] and "leads out of the archive" in notes[0]
    assert "there twice: the last one counts" in notes[1]


@pytest.mark.parametrize("packing", PACK)
def test_an_archive_cut_short_gives_what_is_whole_or_says_why_not(tmp_path, packing):
    data = tar(("one", os.urandom(2 * MIB)), ("two", os.urandom(2 * MIB)))  # of more than one block of bzip2
    path = tmp_path / f"obs.{packing}"
    if packing == "tar":
        path.write_bytes(data[: 3 * MIB])
    else:
        whole = PACK[packing](data)
        path.write_bytes(whole[: len(whole) // 2])
    notes: list[str] = []
    found = [os.path.basename(entry.path) for entry in files_below(str(path), notes)]
    assert found == (["one"] if packing == "tar" else [])
    assert len(notes) == 1
    assert ("two: cut short" in notes[0]) if packing == "tar" else ("cut off" in notes[0])


def test_rubbish_behind_a_member_is_said(tmp_path):
    path = tmp_path / "obs.tar"
    data = tar(("one", b"x" * 512))
    path.write_bytes(data[:1024] + b"rubbish!" * 200)
    notes: list[str] = []
    assert [entry.path for entry in files_below(str(path), notes)] == [f"{path}/one"]
    assert notes == [f"{path}: what follows one is damaged and left out."]


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", b"BZh9rubbish", b"\xfd7zXZ\x00rubbish", b"text" * 300, bytes(1024)]
)
def test_what_is_no_archive_is_no_folder(tmp_path, content):
    path = tmp_path / "file.tar"
    path.write_bytes(content)
    assert not is_archive(str(path))
    assert not is_folder(str(path))


def test_a_missing_member_is_one_sentence(tmp_path):
    path = tmp_path / "obs.tar"
    path.write_bytes(tar(("one", b"x")))
    with pytest.raises(MissingDataError, match="there is no such file in the archive"):
        member_bytes(f"{path}/two")
    with pytest.raises(MissingDataError, match="no such file"):
        ifuview_io.open_dataset(f"{tmp_path}/absent.tar/two.fits")


def test_a_packed_archive_of_other_files_is_not_inflated(tmp_path, own_store):
    for name, member in (("wanted", "a.raw"), ("other", "a.txt"), ("nested", "b.tar"), ("late", "readme")):
        more = (("c.raw", b"y"),) if name == "late" else ()
        (tmp_path / name).write_bytes(lzma.compress(tar((member, b"x" * 100), *more)))
    found = [
        os.path.relpath(f.path, tmp_path) for f in files_below(str(tmp_path), [], wanted=lambda n: n.endswith("raw"))
    ]
    assert found == ["late/c.raw", "late/readme", "nested/b.tar", "wanted/a.raw"]
    assert f"{tmp_path}/other" not in own_store._held


def test_folders_behind_links_are_looked_into_once_also_in_circles(tmp_path):
    night = tmp_path / "elsewhere" / "20250211"
    night.mkdir(parents=True)
    (night / "one").write_bytes(b"x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "20250211").symlink_to(night)
    (root / "latest").symlink_to("20250211")
    (night / "up").symlink_to(root)
    (root / "gone").symlink_to(tmp_path / "nowhere")
    assert [entry.path for entry in files_below(str(root), [])] == [f"{root}/20250211/one"]


def test_links_that_lead_to_themselves_or_nowhere_hide_nothing(tmp_path):
    (tmp_path / "a.fits").write_bytes(fits_bytes(1))
    for name, target in (("loop", "loop"), ("loop.fits", "loop.fits"), ("gone", "nowhere"), ("gone.fits", "nowhere")):
        (tmp_path / name).symlink_to(target)
    assert [Path(found.path).name for found in files_below(str(tmp_path), [])] == ["a.fits"]
    size, time = (tmp_path / "a.fits").stat().st_size, (tmp_path / "a.fits").stat().st_mtime_ns
    assert size_and_time(tmp_path, ".fits") == (size, time)
    assert scan(str(tmp_path)).folder == str(tmp_path)


@pytest.mark.skipif(not GUARDED, reason="what is mapped is not known")
def test_members_that_were_looked_at_once_take_no_memory(tmp_path):
    path, size, count = tmp_path / "night.tar", 4 * MIB, 12
    path.write_bytes(tar(*((f"{n}.fits", bytes([n]) * size) for n in range(count))))
    names = [f"{path}/{n}.fits" for n in range(count)]
    parts = [member_bytes(name) for name in names]
    before = resident()
    assert sum(int(np.frombuffer(part, np.uint8)[::4096].sum()) for part in parts) > 0
    assert resident() - before > count * size // 2  # all is there
    assert [first_bytes(name, 4) for name in names] == [bytes([n]) * 4 for n in range(count)]
    assert resident() - before < size
    assert [part[size // 2] for part in parts] == list(range(count))  # and is read again


def resident() -> int:
    """Bytes of files that this process has in its memory."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("RssFile"))
    return int(line.split()[1]) << 10
