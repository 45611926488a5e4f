"""A few header cards of a FITS file, from its first bytes alone; and whether a file was written to its end."""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection
from math import prod
from typing import IO

from ifuview.engine.context import SILENT, JobContext
from ifuview.io.fits.cards import CARD_SIZE, parse_cards
from ifuview.io.source import ANY_GZIP, CHUNK, GZIP_MAGIC
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
            first = file.read(BLOCK)
            if first[:2] == GZIP_MAGIC:
                engine = zlib.decompressobj(ANY_GZIP)
                data = engine.decompress(first + file.read(2 * BLOCK), HEAD)
                while len(data) < MOST and not _ended(data) and (more := file.read(4 * BLOCK)):
                    data += engine.decompress(more)
            else:
                data = first + file.read(HEAD - BLOCK)
                while len(data) < MOST and not _ended(data) and (more := file.read(HEAD)):
                    data += more
    except (OSError, zlib.error):
        return {}
    return cards_of(data, keys)


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
    """Whether a FITS file, plain or gzip, was written to its end; False also when it cannot be read."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            return _inflates(file, ctx) if packed else _all_there(file, size)
    except (OSError, zlib.error):
        return False


def _inflates(file: IO[bytes], ctx: JobContext) -> bool:
    """Whether a gzip stream ends, checksum and all."""
    engine = zlib.decompressobj(ANY_GZIP)
    while data := file.read(CHUNK):
        ctx.checkpoint()
        while data:
            engine.decompress(data, CHUNK)
            ctx.check()
            data = engine.unused_data or engine.unconsumed_tail
            if engine.eof and data.strip(b"\0"):
                engine = zlib.decompressobj(ANY_GZIP)
            elif engine.eof:
                data = b""
    return engine.eof


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
