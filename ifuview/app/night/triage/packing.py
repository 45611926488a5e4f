"""Numbers of a camera as JSON keeps them, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ifuview.engine.night.search.between import Ends

ENDS = ("at", "flux", "error")  # fields of `Ends`


def plain_numbers(numbers: Mapping[str, object]) -> dict[str, object]:
    """Arrays as lists, the ends of a camera as lists by name."""
    return {name: _plain(value) for name, value in numbers.items()}


def _plain(value: object) -> object:
    if isinstance(value, Ends):
        return {one: getattr(value, one).tolist() for one in ENDS}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def numbers_of(plain: Mapping[str, object]) -> dict[str, object]:
    """What `plain_numbers` was made of."""
    return {name: _full(name, value) for name, value in plain.items()}


def _full(name: str, value: object) -> object:
    if name == "ends" and isinstance(value, dict):
        return Ends(*(np.array(value[one]) for one in ENDS))
    return np.array(value) if isinstance(value, list) else value
