"""The members of a tar that lies in memory or is mapped: names and places, read once."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError

RECORD = 512  # bytes of a tar header, POSIX.1-1988
MAGIC_AT, MAGIC = 257, b"ustar"
MOST_MEMBERS = 1_000_000  # an observation of all 78 units has a thousand
ARCHIVES = (".tar", ".tgz", ".tbz", ".txz")  # in names: not sure, but enough to look closer
MOST_NAMED = 3  # members named in a note


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar: its bytes are data[start:stop] of the tar."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class TarFile:
    """A tar and what is in it.

    Parameters
    ----------
    path : str
        What it is called in messages.
    data : memoryview
        All its bytes.
    members : dict of str to Member
        Files, by their path inside.
    notes : tuple of str
        What was left out, one sentence each.
    """

    path: str
    data: memoryview
    members: dict[str, Member] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def bytes_of(self, member: Member) -> memoryview:
        """The bytes of a member where they lie."""
        return self.data[member.start : member.stop]


def is_tar(start: bytes) -> bool:
    """Whether bytes begin with the header of a tar member: by its magic word, or the checksum of older ones."""
    head = start[:RECORD]
    if len(head) < RECORD or not head.strip(b"\0"):
        return False
    if head[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC:
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def read_tar(data: memoryview, path: str, ctx: JobContext = SILENT) -> TarFile:
    """List the files of a tar.

    Of a member that is there twice the last one counts, as for every unpacker. Names that lead out of the archive,
    sparse files and members that are cut short are left out, and said.

    Raises
    ------
    FileFormatError
        It is no tar.
    """
    members: dict[str, Member] = {}
    twice: list[str] = []
    outside: list[str] = []
    cut: list[str] = []
    notes: list[str] = []
    for info in _headers(data, path, notes, ctx):
        name = _inside(info.name)
        stop = info.offset_data + info.size
        if not info.isreg():
            continue
        if name is None or info.sparse is not None:
            outside.append(info.name)
        elif stop > len(data):
            cut.append(name)
        else:
            if name in members:
                twice.append(name)
            members[name] = Member(name, info.offset_data, stop)
    _say(notes, path, "the name leads out of the archive, or the file is sparse: left out", outside)
    _say(notes, path, "there twice: the last one counts", twice)
    _say(notes, path, "cut short, the archive ends inside it: left out", cut)
    return TarFile(path, data, members, tuple(notes))


def first_names(data: memoryview) -> list[tuple[str, bool]]:
    """Names of the files that the first bytes of a tar tell of, and whether each may be an archive itself."""
    if not is_tar(bytes(data[:RECORD])):
        return []
    found = [info for info in _headers(data, "", []) if info.isreg()]
    return [(info.name, any(part in info.name.lower() for part in ARCHIVES)) for info in found]


def _headers(data: memoryview, path: str, notes: list[str], ctx: JobContext = SILENT) -> list[tarfile.TarInfo]:
    """Headers of all members up to the first that is damaged."""
    if not is_tar(bytes(data[:RECORD])):
        raise FileFormatError("this is no tar archive", path)
    out: list[tarfile.TarInfo] = []
    end = 0
    try:
        with tarfile.open(fileobj=_Reader(data), mode="r:", errorlevel=1) as archive:
            while (info := archive.next()) is not None and len(out) < MOST_MEMBERS:
                ctx.check()
                out.append(info)
                end = info.offset_data + -(-info.size // RECORD) * RECORD
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as problem:
        if not out:
            raise FileFormatError(f"the tar archive is damaged ({problem})", path) from problem
    if out and end < len(data) and bytes(data[end : end + RECORD]).strip(b"\0"):
        notes.append(f"{path}: what follows {out[-1].name} is damaged and left out.")
    return out


def _inside(name: str) -> str | None:
    """The name of a member as a plain path below the archive; None for one that leads out of it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return None if ".." in parts or not parts or "\0" in name else "/".join(parts)


def _say(notes: list[str], path: str, words: str, names: list[str]) -> None:
    """A note about some members."""
    if names:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        notes.append(f"{path}: {', '.join(names[:MOST_NAMED])}{more}: {words}.")


class _Reader(io.RawIOBase):
    """Bytes in memory as a file, without a copy of all of them."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, len(self._data))[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = len(self._data) if size < 0 else self._at + size
        out = bytes(self._data[self._at : stop])
        self._at += len(out)
        return out
