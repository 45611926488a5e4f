"""A few header cards of a FITS file, from its first bytes alone; and whether a file was written to its end."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from math import prod
from typing import IO

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.fits.cards import CARD_SIZE, parse_cards
from ifuview.io.packed import CHUNK, MAGIC_BYTES, Inflater, is_packed
from ifuview.model.dataset import CardValue

BLOCK = 2880  # bytes, FITS standard 4.0, section 3.1
HEAD = 12 * BLOCK  # inflated at once; a header of a product has 100 to 400 cards
MOST = 40 * BLOCK  # where the search for the second header ends
END = b"END" + b" " * 77
CONTINUE = "CONTINUE"  # of a long text


def head_cards(path: str, keys: Collection[str]) -> dict[str, CardValue]:
    """Values of some keywords in the first headers of a file; what it does not have, or cannot be read, is left out."""
    try:
        with open(path, "rb") as file:
            data = b""
            for more in _pieces(file, path):
                data += more
                if len(data) >= MOST or _ended(data):
                    break
    except (OSError, FileFormatError):
        return {}
    return cards_of(data, keys)


def _pieces(file: IO[bytes], path: str) -> Iterator[bytes]:
    """The beginning of a file, bit by bit, inflated."""
    first = file.read(BLOCK)
    if not is_packed(first):
        yield first + file.read(HEAD - BLOCK)
        while more := file.read(HEAD):
            yield more
    else:
        inflater, packed = Inflater(path, HEAD), first + file.read(2 * BLOCK)
        while packed:
            yield from inflater.feed(packed)
            packed = file.read(4 * BLOCK)


def cards_of(data: bytes, keys: Collection[str]) -> dict[str, CardValue]:
    """Values of some keywords in the headers that the first bytes of a FITS file hold; nothing of any other file."""
    if data[:6] != b"SIMPLE":
        return {}
    out: dict[str, CardValue] = {}
    start = 0
    for _ in range(2):
        stop = _end(data, start)
        out = _chosen(data[start:stop], keys) | out
        if stop >= len(data) or _data_bytes(data[start:stop]):
            break
        start = -(-(stop + CARD_SIZE) // BLOCK) * BLOCK
    return out


def _end(data: bytes, start: int) -> int:
    """Where the END card of the header that begins at `start` stands."""
    place = data.find(END, start)
    while place >= 0 and (place - start) % CARD_SIZE:
        place = data.find(END, place + 1)
    return len(data) if place < 0 else place


def _ended(data: bytes) -> bool:
    """Whether all headers that are wanted have been read."""
    first = _end(data, 0)
    if first >= len(data):
        return False
    return _data_bytes(data[:first]) > 0 or _end(data, -(-(first + CARD_SIZE) // BLOCK) * BLOCK) < len(data)


def _chosen(header: bytes, keys: Collection[str]) -> dict[str, CardValue]:
    """Parse the cards with these keywords only, and those that continue them."""
    text = header.decode("latin-1")
    wanted, inside = [], False
    for i in range(0, len(text), CARD_SIZE):
        card = text[i : i + CARD_SIZE]
        key = card[:8].rstrip()
        inside = key in keys or (inside and key == CONTINUE)
        if inside:
            wanted.append(card.ljust(CARD_SIZE))
    return {key: value for key, value, _ in parse_cards("".join(wanted)) if value not in (None, "")}


def _data_bytes(header: bytes) -> int:
    """Bytes of the data behind a header, padded to whole blocks."""
    keys = {"BITPIX", "NAXIS", "PCOUNT", "GCOUNT", *(f"NAXIS{i}" for i in range(1, 8))}
    values = _chosen(header, keys)
    whole = {key: value for key, value in values.items() if isinstance(value, int)}
    sizes = [whole.get(f"NAXIS{i}") if f"NAXIS{i}" in values else 0 for i in range(1, whole.get("NAXIS", 0) + 1)]
    if not sizes or None in sizes:
        return 0
    count = prod(n for n in sizes if n is not None)
    total = abs(whole.get("BITPIX", 8)) // 8 * whole.get("GCOUNT", 1) * (whole.get("PCOUNT", 0) + count)
    return -(-total // BLOCK) * BLOCK


def complete(path: str, ctx: JobContext = SILENT) -> bool:
    """Whether a FITS file, plain or packed, was written to its end; False also when it cannot be read."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            packed = is_packed(file.read(MAGIC_BYTES))
            file.seek(0)
            return _inflates(file, path, ctx) if packed else _all_there(file, size)
    except (OSError, FileFormatError):
        return False


def _inflates(file: IO[bytes], path: str, ctx: JobContext) -> bool:
    """Whether the packed streams end, checksum and all."""
    inflater = Inflater(path)
    while data := file.read(CHUNK):
        ctx.checkpoint()
        for _ in inflater.feed(data):
            ctx.check()
    return inflater.whole


def first_image_end(path: str | os.PathLike[str]) -> int | None:
    """Where the first HDU with an image ends in a FITS file that is not all there.

    None where that is not known yet, or it is no plain FITS.
    """
    with open(path, "rb") as file:
        if file.read(6) != b"SIMPLE":
            return None
        start = 0
        while (header := _header_at(file, start)) is not None:
            start += _padded(header) + (size := _data_bytes(header))
            if size and _is_image(header):
                return start
    return None


def _is_image(header: bytes) -> bool:
    """Whether the data behind a header are an image, plain or in tiles."""
    cards = _chosen(header, {"XTENSION", "ZIMAGE", "GROUPS"})
    kind = str(cards.get("XTENSION", "IMAGE")).strip()
    return cards.get("GROUPS") is not True and (kind == "IMAGE" or cards.get("ZIMAGE") is True)


def _all_there(file: IO[bytes], size: int) -> bool:
    """Whether every header and all its data lie inside the file."""
    start = 0
    while start < size:
        if (header := _header_at(file, start)) is None:
            return False
        start += _padded(header) + _data_bytes(header)
    return start == size and size > 0


def _header_at(file: IO[bytes], start: int) -> bytes | None:
    """The header that begins at `start`, up to its END; None where it is not all there."""
    file.seek(start)
    data = b""
    while (stop := _end(data, 0)) >= len(data):
        more = file.read(BLOCK)
        if len(more) < BLOCK or len(data) > MOST:
            return None
        data += more
    return data[:stop]


def _padded(header: bytes) -> int:
    """Bytes of a header with its END, padded to whole blocks."""
    return -(-(len(header) + CARD_SIZE) // BLOCK) * BLOCK
