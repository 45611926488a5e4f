"""Options for regions, traces, docks, the window and the files that are written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from ifuview.app.script.common import YES_NO, Handler
from ifuview.app.script.words import Words, Writer
from ifuview.errors import UsageError

IMAGE_FORMATS = ("png", "jpeg", "jpg", "tiff", "tif", "bmp", "gif", "eps", "fits")
MOST_SIDE = 16_384  # px of a window: four large screens
GEOMETRY = re.compile(r"(?:(\d{1,6})x(\d{1,6}))?(?:([+-]\d{1,6})([+-]\d{1,6}))?")
VIEW_OVERLAYS = ("colorbar", "panner", "magnifier")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


def _regions(words: Words, out: Writer) -> None:
    """-regions F | load [all] F | save F."""
    if words.accept("save"):
        words.accept("selected")
        out.do("regions", "save", words.take("a region file"))
    elif words.accept("load"):
        words.accept("all")
        out.of_file("regions", "load", words.take("a region file"))
    elif words.accept("system", "sky", "skyformat", "format", "color", "width", "strip", "shape", "show", "showtext"):
        words.take()
        out.ignored.append(words.option)
    else:
        out.of_file("regions", "load", words.take("a region file"))


def _dock(key: str) -> Handler:
    """-header, -pixeltable, -graph: show a dock, hide it with no or close."""

    def handler(words: Words, out: Writer) -> None:
        closed = words.accept("close")
        words.accept("open")
        out.do("dock", key, not closed and words.switch())

    return handler


def _named_dock(words: Words, out: Writer) -> None:
    """-dock NAME."""
    out.do("dock", words.take("the name of a dock").lower(), True)


def _overlay(name: str, on: bool | None = None) -> Handler:
    """-colorbar [yes|no], -nopanner ..."""

    def handler(words: Words, out: Writer) -> None:
        if on is None and words.accept("orientation", "size", "fontsize", "ticks", "space", "font"):
            words.take()
            return
        if on is None and words.accept("horizontal", "vertical", "numerics"):
            words.switch()
            return
        if on is None and words.accept("lock"):
            out.do("lock", "colors", words.switch())
            return
        if on is None and words.accept("match"):
            out.do("match", "colors")
            return
        out.do("overlay", name, words.switch() if on is None else on)

    return handler


def _view(words: Words, out: Writer) -> None:
    """-view colorbar|panner|magnifier yes|no; graph opens the row and column dock; the rest is ds9's own layout."""
    part = words.take("a part of the window").lower()
    if part in VIEW_OVERLAYS:
        out.do("overlay", part, words.switch())
    elif part == "graph":
        words.accept("horizontal", "vertical")
        out.do("dock", "graphs", words.switch())
    else:
        words.accept(*YES_NO, "horizontal", "vertical", "basic", "advanced")
        if part not in ("info", "layout", "buttons"):
            out.ignored.append(words.option)


def _save_image(words: Words, out: Writer) -> None:
    """-saveimage [png|jpeg|...] F [quality]."""
    kind = words.accept(*IMAGE_FORMATS)
    path = words.take("a file to write")
    if kind in ("jpeg", "jpg", "tiff", "tif") and not os.path.exists(words.peek()):
        words.is_number() and words.number()
        words.accept("none", "jpeg", "packbits", "deflate")
    kind = kind or Path(path).suffix.lstrip(".").lower() or "png"
    if kind in ("fits", "eps", "gif") or kind not in IMAGE_FORMATS:
        raise UsageError(f"a picture cannot be saved as {kind!r}", words.option, "use png, jpeg, tiff or bmp")
    out.do("save-image", {"jpg": "jpeg", "tif": "tiff"}.get(kind, kind), path)


def _save_table(words: Words, out: Writer) -> None:
    """-savetable spectra|fibers|findings|sources F."""
    what = words.accept("spectra", "fibers", "findings", "sources")
    if not what:
        raise UsageError(
            "what is to be saved is missing", words.option, "write -savetable spectra|fibers|findings|sources FILE"
        )
    out.do("save-table", what, words.take("a file to write"))


def _backup(words: Words, out: Writer) -> None:
    """-backup F."""
    out.do("save-session", words.take("a file to write"))


def _restore(words: Words, out: Writer) -> None:
    """-restore F."""
    out.do("restore", words.take("a session file"))


def _samp(words: Words, out: Writer) -> None:
    """-samp [connect|disconnect|yes|no|image|table|spectrum]."""
    word = words.accept("connect", "disconnect", "image", "table", "spectrum", *YES_NO)
    out.do(
        "samp",
        {"disconnect": "leave", "no": "leave", "off": "leave", "false": "leave", "0": "leave"}.get(
            word, word if word in ("image", "table", "spectrum") else "connect"
        ),
    )


def _exit(words: Words, out: Writer) -> None:
    """-exit, -quit."""
    out.do("exit")


def _mode_of_pointer(words: Words, out: Writer) -> None:
    """-mode pan | zoom | crosshair | region | ..."""
    out.do("mode", words.take("a mode").lower())


def _traces(words: Words, out: Writer) -> None:
    """-traces F."""
    out.of_file("traces", words.take("a trace file"))


def _fiber(words: Words, out: Writer) -> None:
    """-fiber N."""
    out.of_file("fiber", words.take("the number of a fiber"))


def _geometry(words: Words, out: Writer) -> None:
    """-geometry WxH+X+Y."""
    word = words.take("WxH+X+Y")
    found = GEOMETRY.fullmatch(word)
    if found is None or not word:
        raise UsageError(f"{word!r} is no geometry", words.option, "write WxH+X+Y, for example 1600x1000+0+0")
    if any(size is not None and not 1 <= int(size) <= MOST_SIDE for size in found.groups()[:2]):
        raise UsageError(f"no window is {word} large", words.option, f"give 1 to {MOST_SIDE} pixels a side")
    names = ("width", "height", "x", "y")
    out.window.update({name: int(value) for name, value in zip(names, found.groups()) if value is not None})


def _window(field: str, kind: Callable[[str], object], what: str) -> Handler:
    """-title T, -width N, -height N, -theme X, --log-level L."""

    def handler(words: Words, out: Writer) -> None:
        word = words.take(what)
        try:
            out.window[field] = kind(word)
        except ValueError:
            raise UsageError(f"{word!r} is not {what}", words.option, "see ifuview --help") from None

    return handler


def _choice(*choices: str) -> Callable[[str], str]:
    """One of some words."""

    def convert(word: str) -> str:
        if word.lower() not in choices:
            raise ValueError
        return word.lower()

    return convert


def _size(word: str) -> int:
    """A positive whole number."""
    if not 1 <= int(word) <= MOST_SIDE:
        raise ValueError
    return int(word)


def _fresh(words: Words, out: Writer) -> None:
    """--fresh."""
    out.window["fresh"] = True


def _wants(what: str) -> Handler:
    """--help, --version."""

    def handler(words: Words, out: Writer) -> None:
        out.wants = what

    return handler


def _grid(words: Words, out: Writer) -> None:
    """-grid [yes|no | open|close | ...]."""
    if words.accept("open", "close", "load", "save"):
        out.ignored.append(words.option)
    else:
        out.do("overlay", "grid", words.switch())


def _wcs(words: Words, out: Writer) -> None:
    """-wcs [open|close | system SYSTEM | skyformat degrees|sexagesimal | SYSTEM | ...]."""
    words.accept("skyformat", "sky", "system", "format")
    word = words.take("a coordinate system or how positions are written").lower()
    if word in ("degrees", "sexagesimal"):
        out.do("overlay", "sexagesimal", word == "sexagesimal")
    else:
        out.ignored.append(f"{words.option} {word}")


OPTIONS: dict[str, Handler] = {
    "region": _regions,
    "regions": _regions,
    "regionfile": _regions,
    "header": _dock("header"),
    "pixeltable": _dock("pixels"),
    "graph": _dock("graphs"),
    "dock": _named_dock,
    "view": _view,
    "wcs": _wcs,
    "grid": _grid,
    "colorbar": _overlay("colorbar"),
    "nocolorbar": _overlay("colorbar", False),
    "panner": _overlay("panner"),
    "nopanner": _overlay("panner", False),
    "magnifier": _overlay("magnifier"),
    "nomagnifier": _overlay("magnifier", False),
    "saveimage": _save_image,
    "exit": _exit,
    "samp": _samp,
    "savetable": _save_table,
    "backup": _backup,
    "restore": _restore,
    "quit": _exit,
    "mode": _mode_of_pointer,
    "traces": _traces,
    "fiber": _fiber,
    "geometry": _geometry,
    "width": _window("width", _size, "a number of pixels"),
    "height": _window("height", _size, "a number of pixels"),
    "title": _window("title", str, "a title"),
    "theme": _window("theme", _choice("auto", "light", "dark"), "auto, light or dark"),
    "log-level": _window("log_level", _choice(*LOG_LEVELS), f"one of {', '.join(LOG_LEVELS)}"),
    "fresh": _fresh,
    "help": _wants("help"),
    "h": _wants("help"),
    "version": _wants("version"),
}
