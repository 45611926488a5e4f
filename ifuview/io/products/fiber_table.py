"""A file's fiber table, in the words of its instrument file, as a FiberMap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ifuview.model.checks import Array, is_whole
from ifuview.model.dataset import Table
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.instrument import InstrumentSpec


def fiber_map(table: Table, spec: InstrumentSpec, unit: str = "mm") -> FiberMap:
    """Return the fibers of a table.

    Parameters
    ----------
    table : Table
        One row per fiber, in the order of the spectra or traces.
    spec : InstrumentSpec
        Says which columns mean what.
    unit : str, optional
        Of the positions.

    Returns
    -------
    FiberMap
        Positions that are NaN or zero in the first column fall back to the next one that has them.
    """
    columns = table.columns
    count = len(next(iter(columns.values()))) if columns else 0
    identity = _first(columns, spec.columns.get("fiber_id", ()))
    number = _numbers(identity, count)
    fiber = number % spec.nfiber if spec.nfiber and number is not None else np.arange(count)
    if len(set(fiber.tolist())) != count:  # several exposures of a fiber, or fibers of several cameras
        fiber = np.arange(count)
    block = _first(columns, spec.columns.get("block", ()))
    if block is None or block.dtype.kind not in "iu":
        block = fiber // spec.block_size if spec.block_size else np.zeros(count, np.int32)
    status = _first(columns, spec.columns.get("status", ()))
    status = None if status is None or status.dtype.kind not in "iuf" else _bits(status, spec)
    return FiberMap(
        fiber=fiber,
        fiber_id=() if identity is None else tuple(str(value) for value in identity.tolist()),
        role=_roles(columns, spec, status, count),
        block=block,
        focal_x=_position(columns, spec.columns.get("focal_x", ()), zero_is_missing=True),
        focal_y=_position(columns, spec.columns.get("focal_y", ()), zero_is_missing=True),
        focal_unit=unit,
        ra=_position(columns, spec.columns.get("ra", ())),
        dec=_position(columns, spec.columns.get("dec", ())),
        status=status,
        status_bits=spec.mask_bits("fiber"),
        target=_targets(columns, spec, count),
        table=columns,
    )


def _first(columns: Mapping[str, Array], names: tuple[str, ...]) -> Array | None:
    """The first of the named columns that is there and has one value a row; "name[1]" is one of several values."""
    return next((found for name in names if (found := _column(columns, name)) is not None), None)


def _column(columns: Mapping[str, Array], name: str) -> Array | None:
    """A column, or one of the values of its cells."""
    if name in columns:
        return columns[name] if columns[name].ndim == 1 else None
    base, _, index = name.removesuffix("]").partition("[")
    values = columns.get(base)
    if values is None or not is_whole(index) or values.ndim != 2 or int(index) >= values.shape[1]:
        return None
    return values[:, int(index)]


def _bits(status: Array, spec: InstrumentSpec) -> Array:
    """Status bits; of a code the bit 1 << code, none for the good ones and for those that are no code."""
    codes = np.nan_to_num(status.astype(np.float64), nan=-1.0).astype(np.int64)
    if not spec.status_codes:
        return codes.astype(np.uint32)
    bad = (codes >= 0) & (codes < 32) & ~np.isin(codes, spec.good_codes)
    return np.where(bad, 1 << np.where(bad, codes, 0), 0).astype(np.uint32)


def _numbers(identity: Array | None, count: int) -> Array | None:
    """Fiber numbers as integers; None if they are none."""
    if identity is None or identity.dtype.kind not in "iu" or len(identity) != count:
        return None
    return identity.astype(np.int64)


def _roles(
    columns: Mapping[str, Array], spec: InstrumentSpec, status: Array | None, count: int
) -> tuple[FiberRole, ...]:
    """Role of each fiber: its column, then target bits for those called science, then the status."""
    column = _first(columns, spec.columns.get("role", ()))
    values = ["science"] * count if column is None else column.tolist()
    means = {value: spec.roles.get(_text(value).upper(), FiberRole.SCIENCE) for value in set(values)}
    roles = [means[value] for value in values]
    for name in spec.role_columns:
        bits = columns.get(name)
        if bits is None or bits.ndim != 1 or bits.dtype.kind not in "iu":
            continue
        for role, marks in spec.role_bits.items():
            marked = (bits.astype(np.int64) & sum(1 << bit for bit in marks)) != 0
            for row in np.flatnonzero(marked):
                if roles[row] is FiberRole.SCIENCE:
                    roles[row] = role
    if status is not None and spec.dead_bits:
        dead = (status & np.uint32(sum(1 << bit for bit in spec.dead_bits))) != 0
        for row in np.flatnonzero(dead):
            roles[row] = FiberRole.DEAD
    return tuple(roles)


def _text(value: object) -> str:
    """A role as the instrument file spells it; whole numbers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _position(columns: Mapping[str, Array], names: tuple[str, ...], zero_is_missing: bool = False) -> Array | None:
    """Positions, each from the first column that knows it; None if no column is there."""
    out: Array | None = None
    for name in names:
        column = _column(columns, name)
        if column is None or column.dtype.kind not in "fiu":
            continue
        values = column.astype(np.float64)
        values[~np.isfinite(values) | ((values == 0) & zero_is_missing)] = np.nan
        out = values if out is None else np.where(np.isfinite(out), out, values)
    return out


def _targets(columns: Mapping[str, Array], spec: InstrumentSpec, count: int) -> tuple[str, ...]:
    """Object type and target name of each fiber."""
    role, target = (_first(columns, spec.columns.get(key, ())) for key in ("role", "target"))
    if role is None and target is None:
        return ()
    first = [""] * count if role is None else [str(value) for value in role.tolist()]
    second = [""] * count if target is None else [str(value) for value in target.tolist()]
    return tuple(" ".join(part for part in pair if part) for pair in zip(first, second))
