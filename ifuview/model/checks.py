"""What the values of the model share: checks of constructors, words about them, ways to other packages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ifuview.errors import FileFormatError

Array = NDArray[Any]
MOST_DIGITS = 18  # of a whole number of 64 bits
Header = Mapping[str, object]  # of a file: what a card holds is checked where it is used


def readonly(array: ArrayLike, name: str, *, ndim: int | None = None, dtype: DTypeLike | None = None) -> Array:
    """Return a read-only view of `array`, converted to `dtype` if given.

    Raises
    ------
    FileFormatError
        The number of dimensions is not `ndim`.
    """
    out = np.asarray(array) if dtype is None else np.asarray(array, dtype=dtype)
    if ndim is not None and out.ndim != ndim:
        raise FileFormatError(f"{name} has {out.ndim} dimensions where {ndim} are needed")
    view = out.view()
    view.flags.writeable = False
    return view


def brief(kind: object, *facts: object) -> str:
    """One line about a value: its kind and what is known of it; what is empty is left out."""
    words = [str(fact) for fact in facts if fact not in ("", None, ())]
    return f"<{type(kind).__name__}{''.join(f' {word}' if i == 0 else f', {word}' for i, word in enumerate(words))}>"


def is_whole(text: str) -> bool:
    """Whether a text is a whole number of the usual digits that fits into 64 bits."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def sizes(shape: tuple[int, ...]) -> str:
    """A shape in words: "648 x 4086"."""
    return " x ".join(str(n) for n in shape)


def same_shape(name: str, array: Array | None, shape: tuple[int, ...]) -> None:
    """Raise FileFormatError unless `array` is None or has `shape`."""
    if array is not None and tuple(array.shape) != tuple(shape):
        raise FileFormatError(f"{name} has shape {tuple(array.shape)} where {tuple(shape)} is needed")


def digest(*arrays: Array | None) -> str:
    """Digest of arrays, the same for the same numbers; those that are None do not count."""
    from hashlib import blake2b

    found = blake2b(digest_size=12)
    for array in arrays:
        if array is not None:
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


class Convertible:
    """Goes to specutils, astropy and notebooks by the functions of the package, loaded when one asks."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        import ifuview

        return str(ifuview.to_html(self))

    def to_spectrum(self, fiber: int | None = None) -> object:
        """A specutils Spectrum; see `ifuview.to_spectrum`."""
        import ifuview

        found: object = ifuview.to_spectrum(self, fiber)
        return found

    def to_ccddata(self, plane: tuple[int, ...] | None = None) -> object:
        """CCDData of astropy; see `ifuview.to_ccddata`."""
        import ifuview

        found: object = ifuview.to_ccddata(self, plane)
        return found


def plain_value(value: Any, digits: int = 0) -> Any:
    """Values as strict JSON keeps them: mappings, lists, texts and numbers; None for what is no number.

    Parameters
    ----------
    value : object
        Also arrays and numbers of numpy.
    digits : int
        Significant digits of numbers that are not whole; 0 for all.
    """
    if isinstance(value, Mapping):
        return {str(k): plain_value(v, digits) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(v, digits) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain_value(value.tolist(), digits)
    if isinstance(value, (bool, str, int)) or value is None:
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    return float(f"{number:.{digits}g}") if digits else number
