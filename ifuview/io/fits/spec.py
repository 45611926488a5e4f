"""Take apart what a person types to open a file: a path with ds9's extension and section syntax."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from ifuview.errors import UsageError

Range = tuple[int | None, int | None]

MOST_DIGITS = 18  # of a number of an extension or a pixel
FORMS = "write file.fits[2], file.fits[SCI], file.fits[SCI,2] or file.fits[1][10:200,5:9]"


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file and the part of it that is asked for.

    Parameters
    ----------
    path : str
    hdu : int, str or None
        0-based HDU number or EXTNAME; None leaves the choice to the reader.
    version : int or None
        EXTVER that goes with a name.
    section : ((x0, x1), (y0, y1)) or None
        1-based inclusive pixels as FITS counts them; None inside means "to the edge".
    block : int
        Pixels of `block` x `block` are summed into one.
    """

    path: str
    hdu: int | str | None = None
    version: int | None = None
    section: tuple[Range, Range] | None = None
    block: int = 1

    @property
    def text(self) -> str:
        """The specification as it would be typed."""
        out = self.path
        if self.hdu is not None:
            out += f"[{self.hdu}]" if self.version is None else f"[{self.hdu},{self.version}]"
        if self.section is not None or self.block != 1:
            axes = self.section or ((None, None), (None, None))
            parts = ["*" if a is None and b is None else f"{_blank(a)}:{_blank(b)}" for a, b in axes]
            out += "[" + ",".join(parts + ([str(self.block)] if self.block != 1 else [])) + "]"
        return out

    def with_hdu(self, hdu: int | str | None, version: int | None = None) -> FileSpec:
        """The same file with another HDU."""
        return replace(self, hdu=hdu, version=version)


def parse_spec(text: str | os.PathLike[str] | FileSpec) -> FileSpec:
    """Return the FileSpec of `text`; a file that exists under the literal text wins.

    Raises
    ------
    UsageError
        The brackets do not hold an extension or a section.
    """
    if isinstance(text, FileSpec):
        return text
    text = os.path.expanduser(os.fspath(text))
    if "\0" in text or not text:
        raise UsageError("an empty file name or one with a NUL character cannot be opened")
    if os.path.lexists(text):
        return FileSpec(text)
    path, groups = _split_brackets(text)
    if not groups:
        return _parse_plus(text)
    spec = FileSpec(path)
    for number, group in enumerate(groups):
        if _is_section(group):
            spec = _with_section(spec, group, text)
        elif number == 0:
            spec = _with_extension(spec, group, text)
        else:
            raise UsageError(f'"[{group}]" is no image section', text, FORMS)
    return spec


def _split_brackets(text: str) -> tuple[str, list[str]]:
    """Path and the contents of the bracket groups at the end of `text`, in order."""
    path = text
    groups: list[str] = []
    while path.endswith("]") and "[" in path and not (groups and os.path.lexists(path)):
        path, _, inside = path[:-1].rpartition("[")
        groups.insert(0, inside.strip())
    if not path or len(groups) > 2:
        raise UsageError("too many brackets" if path else "no file name before the brackets", text, FORMS)
    return path, groups


def _parse_plus(text: str) -> FileSpec:
    """cfitsio's `file.fits+2`."""
    path, plus, number = text.rpartition("+")
    if plus and path and _is_number(number):
        return FileSpec(path, hdu=int(number))
    return FileSpec(text)


def _is_section(group: str) -> bool:
    """Whether the group is a section rather than an extension."""
    return ":" in group or "*" in group


def _with_extension(spec: FileSpec, group: str, text: str) -> FileSpec:
    """Add `2`, `SCI` or `SCI,2`."""
    name, comma, version = (part.strip() for part in group.partition(","))
    if not name or (comma and not _is_number(version)) or (comma and _is_number(name)):
        raise UsageError(f'"[{group}]" is no extension', text, FORMS)
    if _is_number(name):
        return replace(spec, hdu=int(name))
    return replace(spec, hdu=name, version=int(version) if comma else None)


def _with_section(spec: FileSpec, group: str, text: str) -> FileSpec:
    """Add `x0:x1,y0:y1` or `*,y0:y1`, with an optional block factor."""
    parts = [part.strip() for part in group.split(",")]
    if len(parts) not in (2, 3):
        raise UsageError(f'the section "[{group}]" needs x0:x1,y0:y1', text, FORMS)
    block = 1
    if len(parts) == 3:
        if not _is_number(parts[2]) or int(parts[2]) < 1:
            raise UsageError(f'the block factor "{parts[2]}" is no positive integer', text, FORMS)
        block = int(parts[2])
    return replace(spec, section=(_range(parts[0], text), _range(parts[1], text)), block=block)


def _range(part: str, text: str) -> Range:
    """One axis of a section."""
    if part == "*":
        return (None, None)
    low, colon, high = (p.strip() for p in part.partition(":"))
    if not colon or (low and not _is_number(low)) or (high and not _is_number(high)):
        raise UsageError(f'"{part}" is no range of pixels', text, FORMS)
    out = (int(low) if low else None, int(high) if high else None)
    if out[0] is not None and out[1] is not None and out[0] > out[1]:
        raise UsageError(f'the range "{part}" runs backwards', text, FORMS)
    return out


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS


def _blank(value: int | None) -> str:
    return "" if value is None else str(value)
