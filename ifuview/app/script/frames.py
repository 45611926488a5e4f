"""Options for opening and arranging frames, locks and matches."""

from __future__ import annotations

from ifuview.app.script.common import COORDINATES, LOCKABLE, Handler, frame_lock, lock_value, not_lockable, positive
from ifuview.app.script.words import Words, Writer


def _frame(words: Words, out: Writer) -> None:
    """-frame new | next | prev | first | last | N | delete [all] | lock X | match X."""
    if words.accept("new"):  # every file opens a frame of its own
        words.accept("rgb", "hls", "hsv", "3d")
    elif words.accept("next"):
        out.do("frame", "next")
    elif words.accept("prev", "previous"):
        out.do("frame", "previous")
    elif word := words.accept("first", "last"):
        out.do("frame", word)
    elif words.accept("delete"):
        out.do("frame", "delete-all" if words.accept("all") else "delete")
    elif words.accept("lock"):
        out.do("lock", *frame_lock(words))
    elif words.accept("match"):
        out.do("match", frame_lock(words)[0])
    elif words.accept("frameno") or words.is_number():
        out.do("frame", "to", int(words.number()))
    else:
        word = words.take("what to do with the frame").lower()
        if word in ("hide", "show", "move") and (words.accept("all", "first", "last", "back", "forward")) == "":
            words.is_number() and words.number()
        out.ignored.append(words.option)


def _single(words: Words, out: Writer) -> None:
    """-single [yes|no]."""
    if words.switch():
        out.do("layout", "single", "")


def _tile(words: Words, out: Writer) -> None:
    """-tile [yes|no|row|column|grid | mode X | grid layout c r]."""
    words.accept("mode")
    if word := words.accept("row", "column", "grid"):
        if word == "grid" and words.accept("layout"):
            words.number()
            words.number()
        elif word == "grid" and words.accept("mode", "gap", "direction"):
            words.take()
        out.do("layout", "tile", word)
    elif words.switch():
        out.do("layout", "tile", "grid")
    else:
        out.do("layout", "single", "")


def _blink(words: Words, out: Writer) -> None:
    """-blink [yes|no] | interval s."""
    if words.accept("interval"):
        out.do("blink", max(1, round(1000 * positive(words, words.number("a time in seconds")))))
    elif words.switch():
        out.do("layout", "blink", "")
    else:
        out.do("layout", "single", "")


def _lock(words: Words, out: Writer) -> None:
    """-lock X [yes|no|image|none]."""
    what = words.take("what to lock").lower()
    if LOCKABLE.get(what) == "view":
        out.do("lock", *frame_lock(words))
    elif what in LOCKABLE:
        out.do("lock", LOCKABLE[what], lock_value(words))
    else:
        lock_value(words)
        not_lockable(what, words, out)


def _match(words: Words, out: Writer) -> None:
    """-match X [image]."""
    what = words.take("what to match").lower()
    if LOCKABLE.get(what) == "view":
        out.do("match", frame_lock(words)[0])
    elif what in LOCKABLE:
        words.accept(*COORDINATES)
        out.do("match", LOCKABLE[what])
    else:
        not_lockable(what, words, out)


def _multiframe(words: Words, out: Writer) -> None:
    """-multiframe F: all extensions as frames."""
    out.open(words.take("a file"), every=True)


def _mecube(words: Words, out: Writer) -> None:
    """-mecube F: all extensions as one cube."""
    out.open(words.take("a file"), cube=True)


def _open_next(words: Words, out: Writer) -> None:
    """-fits F, -file F, -mosaicimage [iraf|wcs] F: options of ds9 that stand before a file."""
    words.accept("iraf", "wcs", "wfpc2", "new", "mask", "slice")
    out.open(words.take("a file"))


OPTIONS: dict[str, Handler] = {
    "frame": _frame,
    "single": _single,
    "tile": _tile,
    "blink": _blink,
    "lock": _lock,
    "match": _match,
    "multiframe": _multiframe,
    "memf": _multiframe,
    "mecube": _mecube,
    "fits": _open_next,
    "file": _open_next,
    "mosaicimage": _open_next,
    "mosaic": _open_next,
}
