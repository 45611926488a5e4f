"""The door of a window: whose folder it is, what a request may be, which files it means."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ifuview.app.outside import door
from ifuview.app.script.parse import parse
from ifuview.errors import UsageError

NOBODY = 65534


@pytest.fixture
def runtime(tmp_path, monkeypatch) -> Path:
    """A folder of the desktop for sockets, with a short name: that of a socket has 108 bytes."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_the_folder_is_of_its_user_alone(runtime):
    place = door.folder()
    assert place.stat().st_mode & 0o777 == 0o700
    assert door.folder() == place


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o770])
def test_a_folder_that_others_may_enter_is_not_used(runtime, mode):
    door.folder().chmod(mode)
    with pytest.raises(UsageError, match="not a folder of yours alone"):
        door.listening()


def test_a_link_in_its_place_is_not_followed(runtime, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (runtime / "ifuview").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="not a folder of yours alone"):
        door.folder()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_else_can_not_open_it(runtime, tmp_path):
    for folder in (tmp_path, *tmp_path.parents):  # whoever may reach the folder of pytest still stops at the door
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    listening, path = door.listening()
    with listening:
        code = f"""
import os, socket
os.setgid({NOBODY}); os.setuid({NOBODY})
socket.socket(socket.AF_UNIX).connect({str(path)!r})
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "PermissionError" in done.stderr
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not say who is at the other end")
def test_who_is_at_the_other_end_is_asked(monkeypatch):
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert door.is_own(here)
        monkeypatch.setattr(os, "getuid", lambda: NOBODY)
        assert not door.is_own(here)


@pytest.mark.parametrize(
    "line", [b"", b"[1]", b"{}", b'{"words": "a", "folder": "/"}', b'{"words": [1], "folder": "/"}']
)
def test_what_is_no_request_is_refused(line):
    with pytest.raises(UsageError, match="no request"):
        door.request(line)


def test_files_are_those_of_the_folder_in_which_they_were_typed():
    script = door.rooted(parse(["a.fits[2]", "-regions", "r.reg", "/b.fits", "https://x.org/c.fits"]), "/data")
    assert script.files == ("/data/a.fits[2]", "/b.fits", "https://x.org/c.fits")
    assert script.steps[1].args == ("load", "/data/r.reg")
    words, folder = door.request(json.dumps({"words": ["a"], "folder": "/"}).encode())
    assert (words, folder) == (["a"], "/")


def test_every_step_that_names_a_file_is_known():
    from ifuview.app.script.words import VERBS

    named = {verb for verb, text in VERBS.items() if re.search(r"\b(path|spec)\b", text)}
    assert named <= set(door.PATHS)


def test_without_a_window_one_sentence_says_so(runtime):
    with pytest.raises(UsageError, match="no window of yours is open"):
        door.send(["a.fits"])
    listening, path = door.listening()
    listening.close()  # a window that ended without a word
    with pytest.raises(UsageError, match="no window of yours is open"):
        door.send(["a.fits"])
    assert not path.exists()
