"""Which instruments there are, and which one a file speaks of.

Those of the program lie in `resources/instruments/`, those of a user in the folder `instruments` of the user's
configuration; a user's file of the same name counts, and NAME.limits.toml sets limits of an instrument. Of the
program's files only the parts that are asked for are read, and the whole one only for the instrument that fits. A
user's file that is wrong is left out with one message.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ifuview import folders, resources
from ifuview.errors import FileFormatError, MissingDataError, UnknownInstrumentError
from ifuview.inputs import quoted, read_text

if TYPE_CHECKING:
    from ifuview.model.chain_spec import ChainSpec
    from ifuview.model.checks import Header
    from ifuview.model.instrument import Alarm, InstrumentSpec

FOLDER = "instruments"
LIMITS = ".limits.toml"  # of a user: NAME.limits.toml sets limits of an instrument
PLAIN = "plain"


class MatchRule(NamedTuple):
    """How the files of an instrument are known: one of these must hold, the first kind is the strongest.

    Parameters
    ----------
    header : mapping of str to tuple of str
        Cards that begin with one of the texts (lower case).
    keys : tuple of frozenset of str
        Cards that are there together.
    names : tuple of frozenset of str
        EXTNAMEs that are there together.
    files : tuple of str
        File names in lower case, * for any text.
    """

    header: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    keys: tuple[frozenset[str], ...] = ()
    names: tuple[frozenset[str], ...] = ()
    files: tuple[str, ...] = ()


@cache
def instrument(name: str = PLAIN) -> InstrumentSpec:
    """The instrument of that name; of a user's file that is wrong, the program's own of that name.

    Raises
    ------
    UnknownInstrumentError
        There is no file for it, or it is wrong.
    """
    from ifuview.instrument.load import load_instrument

    if name not in files():
        raise UnknownInstrumentError(f'no instrument is called "{name}"', todo=f"known are {', '.join(names())}")
    path, own = files()[name], limit_files().get(name)
    return load_instrument(path, None if own is None or own[1] else own[0])


def names() -> tuple[str, ...]:
    """Names of all instruments."""
    return tuple(files())


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
    found = (word for path in files().values() for word in _part(path, part).get(meaning, ()))
    return tuple(dict.fromkeys(found))


@cache
def chains() -> tuple[ChainSpec, ...]:
    """The chains of products of all instruments that have one."""
    found = (instrument(name).chain for name, path in files().items() if _text_of(path, "chain"))
    return tuple(chain for chain in found if chain is not None)


@cache
def alarms(name: str = "") -> tuple[Alarm, ...]:
    """Alarms of an instrument; without a name those of all."""
    with_alarms = (n for n, path in files().items() if n in limit_files() or _part(path, "alarms"))
    names = (name,) if name in files() else tuple(with_alarms)
    return tuple(dict.fromkeys(alarm for one in names for alarm in instrument(one).alarms))


def recognize(header: Header, extnames: Collection[str] = (), path: str = "") -> str:
    """Name of the instrument that a file speaks of by its header, its EXTNAMEs or its own name; "plain" if none fits.

    Parameters
    ----------
    header : mapping
        Keyword to value.
    extnames : collection of str
        Upper case.
    path : str
    """
    if not extnames and not path and not may_match(header):
        return PLAIN
    rules = _matches()
    for name, rule in rules.items():
        if any(_begins(header.get(key), starts) for key, starts in rule.header.items()):
            return name
    held = frozenset(extnames)
    best = [(len(wanted), name) for name, rule in rules.items() for wanted in rule.names if wanted <= held]
    best += [(len(keys), name) for name, rule in rules.items() for keys in rule.keys if keys <= header.keys()]
    if best:
        return max(best, key=lambda found: found[0])[1]
    base = os.path.basename(path).lower()
    return next((name for name, rule in rules.items() if any(fnmatch(base, file) for file in rule.files)), PLAIN)


def may_match(header: Header) -> bool:
    """Whether any card begins with a text that some rule quotes: spares the parser for most plain files."""
    values = [value.strip().lower() for value in header.values() if isinstance(value, str)]
    return any(value.startswith(_quoted()) for value in values)


def may_know(header: Header, extnames: Collection[str], path: str) -> bool:
    """Whether any instrument file could speak of a file that has only images, by what its text quotes.

    Spares the parser for most files of many CCDs: no EXTNAME and no card is a word of a rule, or of a product of any
    file, and the file's own name fits none.
    """
    generic = _text(files()[PLAIN]).partition("[[product]]")[2].lower().split('"')[1::2]
    words = {word.replace("{band}", "*") for word in (*_quoted(), *generic)} - {"*"}
    patterns = [word for word in words if "*" in word]
    return (
        bool(user_files())
        or may_match(header)
        or any(name.lower() in words for name in (*extnames, *header))
        or any(fnmatch(n.lower(), word) for n in (os.path.basename(path), *extnames) for word in patterns)
    )


@cache
def files() -> dict[str, Path]:
    """Instrument name to file; a user's sound file in the place of the program's."""
    own = {path.stem: path for path in sorted(resources.path(FOLDER).glob("*.toml"))}
    return own | {path.stem: path for path, problem in user_files().items() if not problem}


@cache
def user_files() -> dict[Path, str]:
    """The user's files, and what is wrong with each ("": nothing)."""
    out = {}
    for path in sorted(user_folder().glob("*.toml")):
        if path.name.endswith(LIMITS):
            continue
        from ifuview.instrument.load import load_instrument

        try:
            load_instrument(path)
        except UnknownInstrumentError as problem:
            import logging

            out[path] = str(problem)
            logging.getLogger("ifuview.instrument").warning("%s It is left out.", problem)
        else:
            out[path] = ""
    return out


@cache
def limit_files() -> dict[str, tuple[Path, str]]:
    """The user's files of limits by instrument, and what is wrong with each ("": nothing)."""
    out = {}
    for path in sorted(user_folder().glob(f"*{LIMITS}")):
        from ifuview.instrument.load import load_instrument

        name, problem = path.name.removesuffix(LIMITS), ""
        if name not in files():
            problem = f"{path.name}: no instrument is called {name}."
        else:
            try:
                load_instrument(files()[name], path)
            except UnknownInstrumentError as wrong:
                problem = f"{path.name}: {wrong}"
        if problem:
            import logging

            logging.getLogger("ifuview.instrument").warning("%s It is left out.", problem)
        out[name] = (path, problem)
    return out


def user_folder() -> Path:
    """Where a user's instrument files lie."""
    return folders.user_folder("config") / FOLDER


def problems() -> tuple[str, ...]:
    """What is wrong with the user's files, one sentence each."""
    every = (*user_files().values(), *(text for _, text in limit_files().values()))
    return tuple(text for text in every if text)


@cache
def _quoted() -> tuple[str, ...]:
    """Every quoted text of all rules, in lower case."""
    heads = (_text_of(path, "match") for path in files().values())
    return tuple(text.lower() for head in heads for text in head.split('"')[1::2] if text)


@cache
def _text_of(path: Path, part: str) -> str:
    """The text of one `[part]` of an instrument file, "" without one."""
    _, found, rest = f"\n{_text(path)}".partition(f"\n[{part}]\n")
    return rest.partition("\n[")[0] if found else ""


@cache
def _text(path: Path) -> str:
    return read_text(path).replace("\r\n", "\n")


@cache
def _part(path: Path, part: str) -> Mapping[str, Any]:
    """One table of an instrument file; of the program's own files no more than it is parsed."""
    import tomllib

    try:
        if path in user_files():
            table = tomllib.loads(_text(path)).get(part, {})
            return table if isinstance(table, dict) else {}
        return tomllib.loads(_text_of(path, part))
    except (ValueError, RecursionError, FileFormatError, MissingDataError) as problem:
        raise UnknownInstrumentError(f"the instrument file cannot be read ({quoted(problem)})", path.name) from problem


@cache
def _matches() -> dict[str, MatchRule]:
    """The rules of all instruments."""
    return {name: match_of(_part(path, "match")) for name, path in files().items()}


def match_of(rules: Mapping[str, Any]) -> MatchRule:
    """The rules of a `[match]` table."""
    return MatchRule(
        header={key: tuple(start.lower() for start in starts) for key, starts in rules.get("header", {}).items()},
        keys=tuple(frozenset(keys) for keys in rules.get("keys", ())),
        names=tuple(frozenset(name.upper() for name in wanted) for wanted in rules.get("names", ())),
        files=tuple(file.lower() for file in rules.get("files", ())),
    )


def forget() -> None:
    """Read all files anew at the next question."""
    for known in (
        instrument,
        words,
        chains,
        files,
        user_files,
        limit_files,
        alarms,
        _quoted,
        _text_of,
        _text,
        _part,
        _matches,
    ):
        known.cache_clear()


def _begins(value: object, starts: tuple[str, ...]) -> bool:
    """Whether a card's text begins with one of `starts`."""
    return isinstance(value, str) and value.strip().lower().startswith(starts)
