"""Options for zoom, pan, orientation, crosshair and the plane of a cube."""

from __future__ import annotations

from ifuview.app.script.common import COORDINATES, Handler, factor, lock_value, pixels
from ifuview.app.script.words import Words, Writer
from ifuview.errors import UsageError


def _zoom(words: Words, out: Writer) -> None:
    """-zoom to fit | to N | N | in | out | fit."""
    if words.accept("fit"):
        out.of_file("zoom", "fit")
    elif words.accept("to"):
        if words.accept("fit"):
            out.of_file("zoom", "fit")
        else:
            out.of_file("zoom", "to", factor(words))
    elif words.accept("in"):
        out.of_file("zoom", "by", 2.0)
    elif words.accept("out"):
        out.of_file("zoom", "by", 0.5)
    elif words.accept("open", "close"):
        return
    else:
        out.of_file("zoom", "by", factor(words))


def _pan(words: Words, out: Writer) -> None:
    """-pan to x y [image] | x y; ds9's image coordinates begin with 1."""
    if words.accept("open", "close"):
        return
    to = bool(words.accept("to"))
    x, y = words.number("an x position"), words.number("a y position")
    if pixels(words, out):
        out.of_file("pan", "to" if to else "by", *((x - 1, y - 1) if to else (x, y)))


def _rotate(words: Words, out: Writer) -> None:
    """-rotate N | to N."""
    if words.accept("open", "close"):
        return
    how = words.accept("to") or "by"
    out.of_file("rotate", how, words.number("an angle") % 360)


def _orient(words: Words, out: Writer) -> None:
    """-orient x | y | xy | none."""
    word = words.accept("x", "y", "xy", "none", "open", "close")
    if not word:
        raise UsageError(f"{words.peek()!r} is no orientation", words.option, "one of x, y, xy, none")
    if word not in ("open", "close"):
        out.of_file("orient", "x" in word, "y" in word)


def _block(words: Words, out: Writer) -> None:
    """-block N | to N | to fit | in | out."""
    if words.accept("in", "out", "open", "close", "match"):
        out.ignored.append(words.option)
        return
    if words.accept("lock"):
        words.switch()
        return
    words.accept("to")
    if words.accept("fit"):
        out.of_file("zoom", "fit")
        return
    factor = words.number("a factor")
    if words.is_number():
        words.number()
    if factor < 1 or factor % 1:
        raise UsageError(f"{factor:g} is not a whole number of pixels", words.option)
    out.of_file("block", int(factor))


def _crosshair(words: Words, out: Writer) -> None:
    """-crosshair [x y [image]] | match | lock; alone it chooses the crosshair mode."""
    if words.accept("match"):
        words.accept(*COORDINATES)
        out.do("match", "crosshair")
    elif words.accept("lock"):
        out.do("lock", "crosshair", lock_value(words))
    elif words.is_number():
        x, y = words.number(), words.number("a y position")
        if pixels(words, out):
            out.of_file("crosshair", x - 1, y - 1)
    else:
        out.do("overlay", "crosshair", words.switch())


def _cube(words: Words, out: Writer) -> None:
    """-cube N | play | stop | first | last ..."""
    if words.accept("play"):
        out.of_file("plane", "play")
    elif words.accept("first"):
        out.of_file("plane", 1)
    elif words.is_number():
        out.of_file("plane", int(words.number()))
        words.accept(*COORDINATES)
    elif words.accept("match"):
        words.accept(*COORDINATES)
        out.do("match", "plane")
    elif words.accept("lock"):
        out.do("lock", "plane", lock_value(words))
    elif words.accept("interval", "axis", "axes", "order"):
        words.take()
    else:
        words.accept("stop", "open", "close", "next", "prev", "last")
        out.ignored.append(words.option)


OPTIONS: dict[str, Handler] = {
    "zoom": _zoom,
    "pan": _pan,
    "rotate": _rotate,
    "orient": _orient,
    "block": _block,
    "crosshair": _crosshair,
    "cube": _cube,
    "datacube": _cube,
}
