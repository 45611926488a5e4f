"""Outputs appear whole, of one writer, and what a killed process left half written goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from ifuview import files
from ifuview.errors import UsageError
from ifuview.files import part_name, put, replacing, told
from ifuview.sets import filled

SLOW = """
import sys, time
from ifuview import cli
from ifuview.files import replacing
from ifuview.sets import filled
def slow(name, words):
    with filled(sys.argv[1] + "/set") as part, replacing(sys.argv[1] + "/file.txt") as one:
        (part / "a").write_text("new")
        open(one, "w").write("new")
        print("ready", flush=True)
        time.sleep(60)
cli._run = slow
sys.exit(cli.main(["triage", "x"]))
"""


ROUNDS = 12


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def begun(folder: Path) -> subprocess.Popen[str]:
    """A command that is in the midst of writing."""
    out = subprocess.Popen([sys.executable, "-c", SLOW, str(folder)], stdout=subprocess.PIPE, text=True)
    assert out.stdout is not None
    with out.stdout as said:
        assert said.readline() == "ready\n"
    return out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_what_was_there_and_nothing_else(tmp_path: Path, number: int) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a").write_text("old")
    command = begun(tmp_path)
    command.send_signal(number)
    assert command.wait(20) == 130
    assert names(tmp_path) == ["set"]
    assert (tmp_path / "set" / "a").read_text() == "old"


def test_what_a_killed_process_left_goes_with_the_next_output(tmp_path: Path) -> None:
    killed, living = begun(tmp_path), begun(tmp_path)
    killed.kill()
    killed.wait(20)
    assert len(names(tmp_path)) == 4
    files._swept.clear()
    put(tmp_path / "other.txt", "x")
    left = names(tmp_path)
    assert len(left) == 3 and all(f"-{living.pid}-" in name for name in left if name != "other.txt")
    living.kill()
    living.wait(20)


def _write(folder: str, mark: str) -> None:
    for _ in range(ROUNDS):
        with filled(folder) as part:
            for n in range(5):
                (part / f"{n}.txt").write_text(mark * 1000)
        put(f"{folder}.txt", mark * 100_000)


def test_two_writers_of_one_set_and_one_file_do_not_mix(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_write, args=(str(tmp_path / "set"), mark)) for mark in "ab"]
    for writer in writers:
        writer.start()
    seen, looks = set(), 0
    while any(writer.is_alive() for writer in writers):
        if not (tmp_path / "set").is_dir():
            time.sleep(0.01)
            continue
        folder = os.open(tmp_path / "set", os.O_RDONLY)  # the set of this moment, whatever takes its place
        try:
            marks = set()
            for n in range(5):
                file = os.open(f"{n}.txt", os.O_RDONLY, dir_fd=folder)
                marks.add(os.read(file, 2000))
                os.close(file)
        except FileNotFoundError:  # an old set that is being removed
            continue
        finally:
            os.close(folder)
        seen |= marks
        looks += 1
        assert len(marks) == 1
        if (tmp_path / "set.txt").exists():
            assert len(set((tmp_path / "set.txt").read_text())) == 1
    for writer in writers:
        writer.join(30)
    assert looks and seen <= {b"a" * 1000, b"b" * 1000}
    assert names(tmp_path) == ["set", "set.txt"]


def test_files_of_others_stay_where_a_set_takes_its_place(tmp_path: Path) -> None:
    place = tmp_path / "set"
    (place / "mine" / "deep").mkdir(parents=True)
    (place / "mine" / "deep" / "note").write_text("mine")
    (place / "a").write_text("old")
    before = os.stat(place).st_ino
    with filled(place) as part:
        (part / "a").write_text("new")
        assert (place / "a").read_text() == "old"
    assert (place / "a").read_text() == "new"
    assert (place / "mine" / "deep" / "note").read_text() == "mine"
    assert os.stat(place).st_ino != before or sys.platform != "linux"
    assert names(tmp_path) == ["set"]


def test_the_working_folder_stays_the_one_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with filled(".") as part:
        (part / "a").write_text("new")
    assert os.listdir(os.curdir) == ["a"]


def test_a_file_is_not_taken_for_the_folder_of_a_set(tmp_path: Path) -> None:
    place = tmp_path / "set"
    place.write_text("mine")
    with pytest.raises(NotADirectoryError), filled(place) as part:
        (part / "a").write_text("1")
    assert place.read_text() == "mine"
    assert names(tmp_path) == ["set"]


def test_what_the_library_says_of_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    said = "Not enough space on disk: requested 147139176, available 5173248. Not enough free space to write 17040384"
    with pytest.raises(UsageError) as found, told(tmp_path, "the products"):
        raise OSError(said)
    assert "cannot be written (the disk is full: 147 MB are needed); choose another folder" in str(found.value)
    with pytest.raises(UsageError) as found, told(tmp_path, "the products"):
        raise OSError("577920 requested and 130712 written")
    assert "cannot be written (the disk is full, or files may not become so large)" in str(found.value)


def test_a_failure_leaves_the_older_set(tmp_path: Path) -> None:
    place = tmp_path / "set"
    with filled(place) as part:
        (part / "a").write_text("1")
    with pytest.raises(OSError, match="full"), filled(place) as part:
        (part / "a").write_text("2")
        raise OSError("full")
    assert (place / "a").read_text() == "1"
    assert names(tmp_path) == ["set"]


def test_what_takes_the_place_of_a_file_is_on_the_disk_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(files, "synced", lambda path: done.append(f"sync {os.path.basename(path)}"))
    monkeypatch.setattr(files.os, "replace", lambda a, b: done.append("replace"))
    (tmp_path / "a").write_text("old")
    with replacing(tmp_path / "a") as part:
        Path(part).write_text("new")
    assert [word.split()[0] for word in done] == ["sync", "replace", "sync"]
    assert done[2] == f"sync {tmp_path.name}"


def test_temporary_names_are_of_one_writer_and_not_too_long(tmp_path: Path) -> None:
    name = "n" * 250 + ".fits"
    one, two = part_name(tmp_path / name), part_name(tmp_path / name)
    assert one != two and one.endswith(".part.fits")
    assert len(os.path.basename(one)) < 255


# files that get their names together


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("linked", [True, False])
def test_files_get_their_names_together_or_not_at_all(tmp_path: Path, monkeypatch, linked: bool) -> None:
    """Whatever fails, and wherever: what was there is there again, and nothing is left over."""
    from ifuview import sets

    if not linked:
        monkeypatch.setattr(os, "link", lambda *_a, **_k: (_ for _ in ()).throw(OSError("no links here")))
    paths = [tmp_path / name for name in ("page.html", "numbers.json", "new.txt")]
    for path in paths[:2]:
        path.write_text("old")
    old, real = texts(tmp_path), sets.move
    for failing in range(3):
        calls: list[str] = []

        def move(part: str, path: object, failing: int = failing, calls: list[str] = calls) -> None:
            calls.append(part)
            if len(calls) == failing + 1:
                raise OSError("the disk is full")
            real(part, path)

        monkeypatch.setattr(sets, "move", move)
        with pytest.raises(OSError, match="full"), sets.together(*paths) as parts:
            for part in parts:
                Path(part).write_text("new")
        assert texts(tmp_path) == old, failing
    monkeypatch.setattr(sets, "move", real)
    with pytest.raises(RuntimeError), sets.together(*paths) as parts:
        Path(parts[0]).write_text("new")
        raise RuntimeError("stopped")
    assert texts(tmp_path) == old
    with sets.together(*paths) as parts:
        for part in parts:
            Path(part).write_text("new")
    assert texts(tmp_path) == {path.name: "new" for path in paths}


def test_page_and_numbers_of_health_are_one_set(tmp_path: Path) -> None:
    from ifuview import cli
    from tests.robust.seeds import image

    counts = np.tile(np.random.default_rng(1).integers(900, 1100, (1, 1064)).astype("i2"), (1032, 1))
    raw = image(counts, BZERO=32768, GAIN=0.8, RDNOISE=3.1, EXPTIME=360.0, CCDPOS="L", CCDHALF="L", IFUSLOT="056")
    place = tmp_path / "virus0000001" / "exp01" / "virus"
    place.mkdir(parents=True)
    (place / "20260101T010203.4_056LL_sci.fits").write_bytes(raw)
    page, numbers = tmp_path / "page.html", tmp_path / "numbers.json"
    words = ["health", str(tmp_path / "virus0000001"), "-o", str(page), "--json", str(numbers), "--quiet"]
    assert cli.main(words) in (0, 3)
    before = page.read_bytes(), numbers.read_bytes()
    numbers.unlink()
    numbers.mkdir()  # cannot take the place of a folder
    page.write_bytes(before[0] + b"<!-- read -->")
    assert cli.main(words) == 2
    assert page.read_bytes().endswith(b"<!-- read -->")
    numbers.rmdir()
    assert cli.main(words) in (0, 3)
    assert (page.read_bytes(), numbers.read_bytes()) == before
