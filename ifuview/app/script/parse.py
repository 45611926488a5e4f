"""The command line as a script: ds9's options and the files, in the order in which they were typed.

ds9's rule is kept: options and files are carried out left to right; what stands
before the first file holds for all files, an option after a file is for that
file. `parse` turns the words into frozen steps and touches nothing else: no
file is opened, and neither numpy nor Qt is imported (this runs before both, and
has few classes because each costs the start half a millisecond).

The table of the options is in `ifuview.app.script.options`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ifuview.app.script.words import Script, Words, Writer


def parse(argv: list[str]) -> Script:
    """Turn the words of a command line into a script.

    Parameters
    ----------
    argv : list of str
        Without the name of the program.

    Raises
    ------
    UsageError
        An option lacks its value, or the value makes no sense. Unknown options only make a warning.
    """
    from ifuview.app.script.options import IGNORED, OPTIONS, swallow

    words, out = Words(argv), Writer()
    while words:
        word = words.take()
        if not word.startswith("-") or word == "-":
            out.open(word)
            continue
        if word == "--":  # what follows are files, whatever they are called
            while words:
                out.open(words.take())
            break
        if word.startswith("--") and "=" in word:
            word, _, value = word.partition("=")
            words.push(value)
        words.option = word
        name = word.lstrip("-").lower()
        if name in OPTIONS:
            OPTIONS[name](words, out)
        elif name in IGNORED:
            swallow(words, IGNORED[name])
            out.ignored.append(word)
        else:
            out.unknown.append(f"{word}{_near(name, OPTIONS)}")
    return out.script()


def _near(name: str, known: Iterable[str]) -> str:
    """The option that was meant, "" if none is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.75)
    return f" (did you mean -{near[0]}?)" if near else ""
