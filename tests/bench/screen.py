"""What a person would see and a system monitor would show: the screen, and the memory and CPU of a process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

TICKS = os.sysconf("SC_CLK_TCK")
SIZE = "1920x1080x24"
SERVER_SECONDS = 20.0
MIB = 1024.0  # kB


class Screen:
    """Reads small parts of the root window of DISPLAY."""

    def __init__(self) -> None:
        from Xlib import X, display

        self._format = X.ZPixmap
        self._display = display.Display()
        self._root = self._display.screen().root

    def grab(self, x: int, y: int, width: int, height: int) -> np.ndarray:
        """Pixels 0xRRGGBB, shape (height, width)."""
        reply = self._root.get_image(x, y, width, height, self._format, 0xFFFFFFFF)
        return np.frombuffer(reply.data, np.uint32).reshape(height, width) & 0xFFFFFF

    def colors(self, x: int, y: int, width: int, height: int) -> int:
        """Number of different colors in a part of the screen."""
        return int(np.unique(self.grab(x, y, width, height)).size)

    def close(self) -> None:
        """Hang up."""
        self._display.close()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """An X server of our own with a window manager, as DISPLAY of this process; "" where neither is to be had."""
    before = os.environ.get("DISPLAY", "")
    if not shutil.which("Xvfb"):
        yield before
        return
    read, write = os.pipe()
    process = _quiet(["Xvfb", "-displayfd", str(write), "-screen", "0", SIZE, "-nolisten", "tcp"], pass_fds=[write])
    os.close(write)
    manager = None
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        os.environ["DISPLAY"] = f":{number}"
        if shutil.which("openbox"):
            manager = _quiet(["openbox"])
            time.sleep(0.5)
        yield os.environ["DISPLAY"]
    finally:
        for child in (manager, process):
            if child is not None:
                child.terminate()
                child.wait()
        os.environ.pop("DISPLAY", None)
        if before:
            os.environ["DISPLAY"] = before


def _quiet(command: list[str], **options: object) -> subprocess.Popen:
    """Start a process that says nothing."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload,no-any-return]


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    out = [pid]
    for member in out:
        for listing in Path(f"/proc/{member}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                out += [int(child) for child in listing.read_text().split()]
    return out


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, its descendants and its reaped children."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(word) for word in words[11:15])
    return total / TICKS


def memory(pid: int) -> dict[str, float]:
    """MiB of a process and its descendants: "peak", "anonymous" and "resident"."""
    names = {"VmHWM": "peak", "RssAnon": "anonymous", "VmRSS": "resident"}
    total = dict.fromkeys(names.values(), 0.0)
    for member in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member}/status").read_text().splitlines():
                key, _, value = line.partition(":")
                if key in names:
                    total[names[key]] += int(value.split()[0]) / MIB
    return total


def mapped_files(pid: int) -> set[str]:
    """Files that a process and its descendants have mapped: libraries and data."""
    out = set()
    for member in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member}/maps").read_text().splitlines():
                words = line.split(None, 5)
                if len(words) == 6 and os.path.isfile(words[5]):
                    out.add(words[5])
    return out


def forget(paths: Iterable[str]) -> None:
    """Drop the clean pages of these files, and of no others, from the page cache."""
    for path in paths:
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def remember(path: str) -> None:
    """Bring a file into the page cache."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def end(process: subprocess.Popen) -> None:
    """End a process group that was started here."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(3)
    except ProcessLookupError:
        process.wait()
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
