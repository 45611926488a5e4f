"""Memory of the open frames: what counts, when the user is told, and what is given up first.

Pixels of files that are mapped cost nothing: the system drops and reads them again as it likes. What is counted is
every array that a frame holds, once, also when several frames share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from mmap import mmap

import numpy as np

from ifuview.app.messages import note
from ifuview.app.session import Level, Session
from ifuview.errors import UsageError
from ifuview.memory import MIB

TODO = "close frames that are not needed, or raise the limit in the preferences"
OWN = "ifuview."
_NAMES: dict[type, tuple[str, ...]] = {}  # fields of kinds of values that were seen
PLAIN = (str, bytes, int, float, Enum, type(None))


def has_room(session: Session) -> bool:
    """Whether more may be cached."""
    return session.memory is None or held(session) <= session.memory.most * MIB


def check_room(session: Session, spec: str) -> None:
    """Raise UsageError if what is open exceeds the limit without its reduced copies."""
    bounds = session.memory
    if bounds is not None and held(session, bare=True) > bounds.most * MIB:
        raise UsageError(f"is not opened: the open frames exceed the limit of {bounds.most} MiB", spec, TODO)


def within_bounds(session: Session) -> Session:
    """The session without the reduced copies that the limit does not allow; the user is told once of each bound."""
    bounds = session.memory
    if bounds is None:
        return session
    used = held(session)
    above = (used > bounds.warn * MIB) + (used > bounds.most * MIB)
    if above > 1:
        session = lighter(session, bounds.most * MIB)
    if above != bounds.told:
        session = replace(session, memory=replace(bounds, told=above))
    if above <= bounds.told:
        return session
    more = f", more than the limit of {bounds.most} MiB: nothing more is cached" if above > 1 else ""
    return note(session, f"The open frames take {used // MIB} MiB of memory{more}; {TODO}.", Level.WARNING)


def held(session: Session, *, bare: bool = False) -> int:
    """Bytes of all arrays of the open frames; `bare`: without reduced copies."""
    sizes: dict[int, int] = {}
    seen = {id(slot.pyramid) for slot in session.slots} if bare else set()
    for slot in session.slots:
        sizes.update(_roots(slot, seen))
    return sum(sizes.values())


def lighter(session: Session, most: int) -> Session:
    """The session without the reduced copies of frames that are not shown, oldest first, until it fits."""
    for slot in session.slots:
        if held(session) <= most:
            break
        if slot.pyramid is not None and not slot.pyramid.only and slot.key != session.current:
            session = session.with_slot(replace(slot, pyramid=None))
    return session


def _roots(value: object, seen: set[int]) -> Iterator[tuple[int, int]]:
    """(identity, bytes) of what lies in memory below all arrays of a value; `seen` are identities of visited ones."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            root, size = _root(item)
            if size:
                yield root, size
        elif isinstance(item, (tuple, list)):
            if item and not _is_text(item[0]):
                waiting.extend(item)
        else:
            waiting.extend(v for v in _parts(item) if not isinstance(v, PLAIN))


def _parts(item: object) -> Iterable[object]:
    """What a mapping, or an object of this program, is made of."""
    if isinstance(item, Mapping):
        return item.values()
    if names := _names(type(item)):
        return [getattr(item, name) for name in names]
    return vars(item).values() if type(item).__module__.startswith(OWN) and hasattr(item, "__dict__") else ()


def _names(kind: type) -> tuple[str, ...]:
    """Fields of a kind of values."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(f.name for f in fields(kind)) if is_dataclass(kind) else ()
    return _NAMES[kind]


def _is_text(item: object) -> bool:
    """Whether the first of many is a name, a number or a card of a header: then all are."""
    return isinstance(item, PLAIN) or (isinstance(item, tuple) and bool(item) and isinstance(item[0], str))


def _root(array: np.ndarray) -> tuple[int, int]:
    """Identity and bytes of the memory that an array lies in; no bytes for a mapped file."""
    owner: object = array
    size = array.nbytes
    while (below := owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)) is not None:
        owner = below
        size = getattr(owner, "nbytes", len(owner) if isinstance(owner, (bytes, bytearray)) else size)
    return id(owner), 0 if isinstance(owner, mmap) else size
