"""Options of ds9 that mean nothing here, with the words that belong to them, so that none is taken for a file."""

from __future__ import annotations

from ifuview.app.script.common import YES_NO
from ifuview.app.script.words import Words

MAYBE_A_WORD = """3d align buttons contour fade iconify inet info rgb tcl update"""
NO_WORD = """blue console fifo_only green inet_only lower minimize nobuttons
    noinfo noslice port_only print private psprint raise red slice unix_only"""
ONE_WORD = """array asinhexp background bg fifo gif iis jpeg language
    nameserver nan nanmask png port prefs scope sleep source threads tiff unix visual xpa"""
TWO_WORDS = """analysis bin cursor movie preserve"""
FIVE_WORDS = """precision"""

# Number of words that follow; -1: an optional yes, no, open ...
IGNORED: dict[str, int] = {
    **dict.fromkeys(MAYBE_A_WORD.split(), -1),
    **dict.fromkeys(NO_WORD.split(), 0),
    **dict.fromkeys(ONE_WORD.split(), 1),
    **dict.fromkeys(TWO_WORDS.split(), 2),
    **dict.fromkeys(FIVE_WORDS.split(), 5),
}


def swallow(words: Words, count: int) -> None:
    """Pass over the arguments of an option that is ignored: `count` words, or an optional yes/no if negative."""
    if count < 0:
        words.accept(*YES_NO, "open", "close", "connect", "disconnect", "none")
        return
    for _ in range(count):
        if words:
            words.take()
