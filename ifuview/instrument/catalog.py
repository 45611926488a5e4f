"""Which instruments there are, and which one a header speaks of.

Only the `[match]` part of each file is read to choose; the rest is parsed for
the one that fits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifuview import resources
from ifuview.errors import UnknownInstrumentError

if TYPE_CHECKING:
    from ifuview.model.instrument import InstrumentSpec

FOLDER = "instruments"
PLAIN = "plain"


@cache
def instrument(name: str = PLAIN) -> InstrumentSpec:
    """The instrument of that name.

    Raises
    ------
    UnknownInstrumentError
        There is no file for it, or it is wrong.
    """
    from ifuview.instrument.load import load_instrument

    if name not in _files():
        raise UnknownInstrumentError(f'no instrument is called "{name}"', todo=f"known are {', '.join(names())}")
    return load_instrument(_files()[name])


def names() -> tuple[str, ...]:
    """Names of all instruments."""
    return tuple(_files())


@cache
def words(meaning: str, part: str = "columns") -> tuple[str, ...]:
    """Columns of that meaning in the tables of any instrument: a table by itself need not say whose it is.

    Parameters
    ----------
    meaning : str
        "fiber_id", "focal_x", "group", ...
    part : str
        "columns", or "tables" for how a table is shown.
    """
    found = (word for name in names() for word in getattr(instrument(name), part).get(meaning, ()))
    return tuple(dict.fromkeys(found))


def recognize(header: Mapping[str, Any], extnames: Collection[str] = ()) -> str:
    """Name of the instrument that a header, or else the EXTNAMEs of a file, speak of; "plain" if none fits.

    Parameters
    ----------
    header : mapping
        Keyword to value.
    extnames : collection of str
        Upper case.
    """
    if not extnames and not _may_match(header):
        return PLAIN
    matches = _matches()
    for name, (keys, _) in matches.items():
        if any(_begins(header.get(key), starts) for key, starts in keys.items()):
            return name
    for name, (_, sets) in matches.items():
        if any(wanted.issubset(extnames) for wanted in sets):
            return name
    return PLAIN


def _may_match(header: Mapping[str, Any]) -> bool:
    """Whether any card begins with a text that some rule quotes: spares the parser for most plain files."""
    values = [value.strip().lower() for value in header.values() if isinstance(value, str)]
    return any(value.startswith(_quoted()) for value in values)


@cache
def _quoted() -> tuple[str, ...]:
    """Every quoted text of all rules, in lower case."""
    heads = (_match_text(path) for path in _files().values())
    return tuple(text.lower() for head in heads for text in head.split('"')[1::2] if text)


def _match_text(path: Path) -> str:
    """The `[match]` part of an instrument file, "" without one."""
    _, found, rest = path.read_text("utf-8").partition("\n[match]\n")
    return rest.partition("\n[")[0] if found else ""


def _begins(value: Any, starts: tuple[str, ...]) -> bool:
    """Whether a card's text begins with one of `starts`."""
    return isinstance(value, str) and value.strip().lower().startswith(starts)


@cache
def _files() -> dict[str, Path]:
    """Instrument name to file."""
    return {path.stem: path for path in sorted(resources.path(FOLDER).glob("*.toml"))}


@cache
def _matches() -> dict[str, tuple[dict[str, tuple[str, ...]], tuple[frozenset[str], ...]]]:
    """The rules of all instruments: header starts and sets of EXTNAMEs."""
    import tomllib

    out = {}
    for name, path in _files().items():
        try:
            rules = tomllib.loads(_match_text(path))
        except ValueError as problem:
            raise UnknownInstrumentError(f"the instrument file cannot be read ({problem})", path.name) from problem
        keys = {key: tuple(start.lower() for start in starts) for key, starts in rules.get("header", {}).items()}
        out[name] = (keys, tuple(frozenset(wanted) for wanted in rules.get("names", ())))
    return out
