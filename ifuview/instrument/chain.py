"""The `[chain]` part of an instrument file, checked, as a ChainSpec."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ifuview.instrument.parts import check_pattern, checked_part
from ifuview.model.chain_spec import ChainSpec

PATTERNS = {"file": ("product", "camera", "expid"), "raw_file": ("expid",), "logs": ()}  # and the groups they need
TILE_GROUPS = ("family", "tile", "group")
QUOTIENT = 2  # products that a computed one is made of


def chain(table: object, instrument: str) -> ChainSpec | None:
    """Return the chain of an instrument file, None without one.

    Raises
    ------
    ValueError
        An entry that means nothing; the text says which.
    """
    if table is None:
        return None
    own = checked_part(table, "chain", (name for name in ChainSpec._fields if name != "instrument"))
    values = {key: _value(key, value) for key, value in own.items()}
    found = ChainSpec(instrument, **values)  # type: ignore[arg-type]
    if not found.file or not found.products:
        raise ValueError("[chain] needs file and products")
    for name, groups in PATTERNS.items():
        check_pattern("chain", name, str(getattr(found, name)), groups)
    for pattern in found.tile_files:
        check_pattern("chain", "tile_files", pattern, TILE_GROUPS)
    for product, parts in found.computed.items():
        if len(parts) != QUOTIENT:
            raise ValueError(f"[chain] computed: {product} needs the two products that it is the quotient of")
    return found._replace(shown=found.shown or found.products, first=found.first or found.products[::-1])


def _value(key: str, value: object) -> object:
    """A text, a tuple of texts or a mapping to either, as the field of that name is."""
    default = ChainSpec._field_defaults[key]
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if isinstance(default, Mapping) and isinstance(value, Mapping):
        return MappingProxyType({k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})
    if isinstance(default, str) and isinstance(value, str):
        return value
    kind = "a list of texts" if isinstance(default, tuple) else "a table" if isinstance(default, Mapping) else "a text"
    raise ValueError(f"[chain] {key} = {value!r} is not {kind}")
