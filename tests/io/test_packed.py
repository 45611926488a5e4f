"""Packed bytes: the same whatever the pieces they come in, never more at once than asked for, cut-off ones told."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.errors import FileFormatError
from ifuview.io.fits.fast import read_fits, stored
from ifuview.io.fits.head import complete, head_cards
from ifuview.io.packed import Inflater

KINDS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
PLAIN = np.random.default_rng(5).integers(0, 9, 70_000, np.uint8).tobytes()


def _fed(packed: bytes, step: int, most: int = 1 << 20) -> tuple[bytes, Inflater, int]:
    inflater, out, largest = Inflater("file", most), b"", 0
    for at in range(0, len(packed), step):
        for piece in inflater.feed(packed[at : at + step]):
            out, largest = out + piece, max(largest, len(piece))
    return out, inflater, largest


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_streams_of_any_kind_one_behind_the_other_come_in_any_pieces(step: int) -> None:
    parts = [PLAIN[:100], PLAIN[100:9000], PLAIN[9000:9001]] if step == 1 else [PLAIN[:100], PLAIN[100:], b""]
    packed = b"".join(pack(part) for pack, part in zip(KINDS.values(), parts, strict=True))
    out, inflater, _ = _fed(packed, step)
    assert out == b"".join(parts)
    assert inflater.whole


@pytest.mark.parametrize("pack", KINDS.values(), ids=KINDS)
def test_what_follows_the_last_stream_is_passed_over_and_no_piece_is_larger_than_asked_for(
    pack: Callable[[bytes], bytes],
) -> None:
    for tail in (b"", b"\0", b"\0" * 512, b"no stream at all"):
        out, inflater, largest = _fed(pack(PLAIN) + tail, 999, 1000)
        assert out == PLAIN
        assert inflater.whole
        assert largest <= 1000


@pytest.mark.parametrize("pack", KINDS.values(), ids=KINDS)
def test_a_stream_that_is_cut_off_is_told(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(PLAIN)
    for end in (8, len(packed) // 2, len(packed) - 1):
        _, inflater, _ = _fed(packed[:end], 4096)
        with pytest.raises(FileFormatError, match="cut off"):
            inflater.close()
    with pytest.raises(FileFormatError, match="damaged"):
        _fed(packed[: len(packed) // 2] + bytes(range(256)) + packed[len(packed) // 2 + 256 :], 4096)


@pytest.mark.parametrize("kind", KINDS)
def test_fits_files_of_every_kind_open_and_tell_their_cards_and_whether_they_are_whole(
    kind: str, tmp_path: Path
) -> None:
    plain, path = tmp_path / "plain.fits", tmp_path / f"frame.fits.{kind}"
    image = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    fits.PrimaryHDU(image, fits.Header({"EXPID": 17})).writeto(plain)
    packed = KINDS[kind](plain.read_bytes())
    path.write_bytes(packed)
    assert head_cards(str(path), {"EXPID"}) == {"EXPID": 17}
    assert complete(str(path))
    assert np.array_equal(stored(read_fits(str(path)).hdus[0]), image)
    path.write_bytes(packed[:-9])
    assert not complete(str(path))
