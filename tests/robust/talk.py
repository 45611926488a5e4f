"""What is typed, kept, sent and told, as files for the fuzzer: command lines, sessions, requests to a window, SAMP."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ifuview.errors import IfuviewError

Open = Callable[[str], object]
# One command line a line; {file} is a good image.
WORDS = """\
-zscale {file} -log -cmap heat -zoom to fit
-scale limits 0 500 {file} -zoom 4 -pan to 10 12 image -rotate 90 -orient xy
{file}[1] {file}[SCI,1][2:20,3:9] -lock frame image -blink -blink interval 0.2 -tile column
-scale mode 99.5 {file} -cube 3 -cmap value 2 0.4 -scale asinh -smooth radius 3 -block to 4
{file} -crosshair 4 7 image -fiber 17 -match scale -frame last -frame 1 -dock spectrum
-mecube {file} -time 0 10.5 -wave 700 900 -photons rate -mode pan -view colorbar no -grid yes
-geometry 800x600+0-0 -title x -theme dark {file} -regions load all {file} -traces {file} -mask {file}
"""
MESSAGES: list[list[Any]] = [
    ["image.load.fits", {"url": "file:///a.fits", "name": "a"}],
    ["coord.pointAt.sky", {"ra": "10.5", "dec": "-3.25"}],
    ["table.highlight.row", {"table-id": "ifuview-fibers-1-0", "row": "12", "url": ""}],
    ["table.highlight.row", {"table-id": "t", "url": "file:{file}", "row": "²"}],
    ["table.select.rowList", {"table-id": "t", "url": "file:///several.fits#1", "row-list": ["0", "4", "7"]}],
]


def words(path: str) -> object:
    """Command lines: parsed, the looks of their frames made."""
    from ifuview.app.frames.adding import look_of
    from ifuview.app.script.parse import parse

    out: list[object] = []
    for line in _text(path).splitlines():  # a bad one takes nothing from the others
        with suppress(IfuviewError):
            for step in parse(line.split()).steps:
                out.append(look_of(step.args[3]) if step.verb == "open" else step)
    return out


def kept(path: str) -> object:
    """A session that was saved, restored."""
    from ifuview.app import intents as want
    from ifuview.app.outside.scripts import HeadlessSession
    from ifuview.app.session import Session

    return HeadlessSession(Session(headless=True)).ask(want.RestoreSession(path))


def request(path: str) -> object:
    """What a second command sends to a window."""
    from ifuview.app.outside import door
    from ifuview.app.script.parse import parse

    asked, where = door.request(Path(path).read_bytes())
    return door.rooted(parse(asked), where)


def samp(path: str) -> object:
    """Messages of other programs, to a session with a frame that has a sky; what is then told to them."""
    from ifuview.app.outside import samp_words
    from ifuview.app.outside.scripts import HeadlessSession

    out: list[object] = []
    for line in _text(path).splitlines():
        message = _plain(line)
        if not (isinstance(message, list) and len(message) == 2 and isinstance(message[1], dict)):
            continue
        with suppress(IfuviewError):
            viewer = HeadlessSession(_with_sky())
            before = viewer.session
            for intent in samp_words.asked(before, str(message[0]), message[1]):
                if type(intent).__name__ != "OpenFile":
                    viewer.ask(intent)
            out.append(samp_words.told(before, viewer.session))
    return out


@cache
def _with_sky() -> Any:
    """A session with an image of the sky."""
    import tempfile

    import numpy as np

    from ifuview.app.reporting.headless import make_session
    from tests.io.fitsbytes import image

    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.5, "CRVAL2": -3.25, "CRPIX1": 20.0,
             "CRPIX2": 12.0, "CDELT1": -0.001, "CDELT2": 0.001}  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "sky.fits"
        path.write_bytes(image(np.ones((24, 40), "f4"), **cards))
        return make_session([str(path)])


def _plain(line: str) -> object:
    """The value of a line of JSON, None if it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _text(path: str) -> str:
    return Path(path).read_bytes().decode("utf-8", "surrogateescape")


def made(place: Path, good: Path) -> list[tuple[str, Path, Open]]:
    """Write a good file of each kind below a folder; `good` is an image that they name."""
    from ifuview.app import intents as want
    from ifuview.app.outside.scripts import HeadlessSession
    from ifuview.app.reporting.headless import make_session
    from ifuview.app.saved.keep import kept as kept_form
    from ifuview.app.saved.keep import write

    lines = WORDS.replace("{file}", str(good))
    (place / "words.txt").write_text(lines)
    (place / "samp.json").write_text("".join(f"{json.dumps(message)}\n" for message in MESSAGES))
    (place / "request.json").write_text(json.dumps({"words": lines.splitlines()[2].split(), "folder": str(place)}))
    viewer = HeadlessSession(make_session([str(good)]))
    viewer.ask(want.PickPoint(viewer.session.slots[0].key, 3.0, 4.0))
    write(str(place / "session.json"), kept_form(viewer.session))
    opened: tuple[tuple[str, Open], ...] = (
        ("words.txt", words), ("samp.json", samp), ("request.json", request), ("session.json", kept)
    )  # fmt: skip
    return [(name, place / name, read) for name, read in opened]
