"""FITS files made by hand for the tests, byte by byte, so that no writer's habits hide a reader's mistake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 2880
BITPIX = {"u1": 8, "i2": 16, "i4": 32, "i8": 64, "f4": -32, "f8": -64}


def card(key: str, value: Any, comment: str = "") -> str:
    """One 80-character card."""
    if isinstance(value, bool):
        text = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        text = "'" + value.replace("'", "''").ljust(8) + "'"
    else:
        text = f"{value!r:>20}"
    out = f"{key:<8}= {text}" + (f" / {comment}" if comment else "")
    return out[:80].ljust(80)


def header(cards: Sequence[str]) -> bytes:
    """A padded header with its END card."""
    raw = "".join(c.ljust(80) for c in [*cards, "END"]).encode("latin-1")
    return raw.ljust(-(-len(raw) // BLOCK) * BLOCK)


def image(data: np.ndarray | None, primary: bool = True, **cards: Any) -> bytes:
    """One image HDU, big-endian."""
    first = card("SIMPLE", True) if primary else card("XTENSION", "IMAGE")
    if data is None:
        return header([first, card("BITPIX", 8), card("NAXIS", 0), *(card(k, v) for k, v in cards.items())])
    code = data.dtype.str[1:]
    lines = [first, card("BITPIX", BITPIX[code]), card("NAXIS", data.ndim)]
    lines += [card(f"NAXIS{i + 1}", int(n)) for i, n in enumerate(reversed(data.shape))]
    if not primary:
        lines += [card("PCOUNT", 0), card("GCOUNT", 1)]
    lines += [card(key, value) for key, value in cards.items()]
    raw = data.astype(data.dtype.newbyteorder(">")).tobytes()
    return header(lines) + raw.ljust(-(-len(raw) // BLOCK) * BLOCK, b"\0")


def write(path: Path, *hdus: bytes) -> Path:
    """Put HDUs into a file."""
    path.write_bytes(b"".join(hdus))
    return path
