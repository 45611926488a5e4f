"""Memory of the open frames: what counts, when the user is told, and what is given up first.

Pixels of files that are mapped cost nothing: the system drops and reads them again as it likes. What is counted is
every array that a frame holds, once, also when several frames share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from mmap import mmap

import numpy as np

from ifuview.app.session import Session
from ifuview.errors import UsageError

MIB = 1 << 20
TODO = "close frames that are not needed, or raise the limit in the preferences"
OWN = "ifuview."
PLAIN = (str, bytes, int, float, Enum, type(None))


@dataclass(slots=True)
class MemoryWatch:
    """Compares what is open with two bounds and remembers which of them was spoken of.

    Parameters
    ----------
    warn, most : int, MiB
        A message appears above `warn`; above `most` nothing is kept that can be made again, and nothing is opened.
    told : int
        How many of the bounds were exceeded last.
    given_up : set of int
        Keys of the frames whose reduced copies were given up.
    """

    warn: int
    most: int
    told: int = 0
    given_up: set[int] = field(default_factory=set)

    def bounds(self, warn: int, most: int) -> None:
        """Take other bounds."""
        self.warn, self.most, self.told = warn, most, 0

    def has_room(self, session: Session) -> bool:
        """Whether more may be cached."""
        return held(session) <= self.most * MIB

    def check_room(self, session: Session, spec: str) -> None:
        """Raise UsageError if what is open exceeds the limit without its reduced copies."""
        if held(session, bare=True) > self.most * MIB:
            raise UsageError(f"is not opened: the open frames exceed the limit of {self.most} MiB", spec, TODO)

    def settled(self, session: Session) -> tuple[Session, str]:
        """The session without the reduced copies that the limit does not allow, and what the user is to be told."""
        used = held(session)
        above = (used > self.warn * MIB) + (used > self.most * MIB)
        text = ""
        if above > self.told:
            text = f"The open frames take {used // MIB} MiB of memory"
            text += f", more than the limit of {self.most} MiB: nothing more is cached" if above > 1 else ""
            text += f"; {TODO}."
        self.told = above
        if above > 1:
            session, keys = lighter(session, self.most * MIB)
            self.given_up |= keys
        return session, text

    def takes_back(self, session: Session) -> bool:
        """Whether the frame that is shown now gave up its reduced copies, and there is room for them; asked once."""
        back = session.current in self.given_up and self.has_room(session)
        self.given_up.difference_update({session.current} if back else ())
        return back


def held(session: Session, *, bare: bool = False) -> int:
    """Bytes of all arrays of the open frames; `bare`: without reduced copies."""
    sizes: dict[int, int] = {}
    seen = {id(slot.pyramid) for slot in session.slots} if bare else set()
    for slot in session.slots:
        sizes.update(_roots(slot, seen))
    return sum(sizes.values())


def lighter(session: Session, most: int) -> tuple[Session, set[int]]:
    """The session without the reduced copies of frames that are not shown, oldest first, until it fits; their keys."""
    keys = set()
    for slot in session.slots:
        if held(session) <= most:
            break
        if slot.pyramid is not None and slot.key != session.current:
            session = session.with_slot(replace(slot, pyramid=None))
            keys.add(slot.key)
    return session, keys


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
    if is_dataclass(item):
        return [getattr(item, f.name) for f in fields(item)]
    return vars(item).values() if type(item).__module__.startswith(OWN) and hasattr(item, "__dict__") else ()


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
