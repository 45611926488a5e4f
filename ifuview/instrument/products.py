"""The `[[product]]` entries of an instrument file, checked, as ProductSpecs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from ifuview.model.product import (
    FROM_HEADER,
    POWERS,
    ErrorSpec,
    FiberSpec,
    LsfSpec,
    MaskSpec,
    OtherSpec,
    ProductSpec,
    TraceSpec,
    WaveSpec,
)

KINDS = ("detector", "image", "rss", "cube", "spectrum", "traces", "unreadable")
FORMS = ("linear", "log10", "poly", "edges")
WIDTHS = ("fwhm", "sigma")
NEEDS = ("wave", "fibers")
MEDIA = ("", "vacuum", "air", "unknown")
LISTS = ("families", "files", "has", "main", "table", "needs", "tables", "residuals")
PLAIN = ("name", "kind", "each", "unit", "factor", "medium", "rows", "model", "sky", "note")
Entry = Mapping[str, object]
Part = TypeVar("Part", ErrorSpec, MaskSpec, WaveSpec, LsfSpec, FiberSpec, TraceSpec)


def products(entries: object) -> tuple[ProductSpec, ...]:
    """Return the products of an instrument file.

    Raises
    ------
    ValueError
        An entry that means nothing; the text says which.
    """
    if not isinstance(entries, list):
        raise ValueError("product must be written [[product]]")
    return tuple(_product(entry, number) for number, entry in enumerate(entries, 1))


def _product(entry: Entry, number: int) -> ProductSpec:
    """One entry."""
    name = entry.get("name")
    where = f'product "{name}"' if isinstance(name, str) else f"product {number}"
    try:
        return _checked(entry)
    except (KeyError, TypeError, ValueError) as problem:
        text = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        raise ValueError(f"{where}: {text}") from problem


def _checked(entry: Entry) -> ProductSpec:
    """One entry, every key known and every word meaningful."""
    _known(entry, ProductSpec._fields, "the product")
    _one_of(entry["kind"], KINDS, "kind")
    _one_of(entry.get("medium", ""), MEDIA, "medium")
    lists = {key: _texts(entry[key]) for key in LISTS if key in entry}
    for need in lists.get("needs", ()):
        _one_of(need, NEEDS, "needs")
    traces = entry.get("traces")
    product = ProductSpec(
        **{key: entry[key] for key in PLAIN if key in entry},  # type: ignore[arg-type]
        **lists,  # type: ignore[arg-type]
        header=MappingProxyType({key: _texts(value) for key, value in _table(entry.get("header", {})).items()}),
        error=_all(ErrorSpec, entry.get("error", ()), _check_error),
        mask=_all(MaskSpec, entry.get("mask", ())),
        wave=_all(WaveSpec, entry.get("wave", ()), _check_wave),
        lsf=_all(LsfSpec, entry.get("lsf", ()), _check_lsf),
        fibers=_all(FiberSpec, entry.get("fibers", ()), _check_fibers),
        others=tuple(_other(one) for one in _many(entry.get("others", ()))),
        traces=None if traces is None else _all(TraceSpec, traces, _check_traces)[0],
    )
    if not isinstance(product.name, str) or not product.name:
        raise ValueError("name is no text")
    if product.kind == "traces" and product.traces is None:
        raise ValueError("a product of traces needs traces = {...}")
    return product


def _all(cls: type[Part], value: object, check: Callable[[Part], None] | None = None) -> tuple[Part, ...]:
    """The alternatives that a key lists; a list of names of an HDU or a table stands for one alternative each."""
    out = []
    for entry in _many(value):
        key = next((key for key in ("hdu", "table") if isinstance(entry.get(key), list)), "")
        for one in [{**entry, key: name} for name in _texts(entry[key])] if key else [entry]:
            made = _made(cls, one)
            if check is not None:
                check(made)
            out.append(made)
    return tuple(out)


def _made(cls: type[Part], entry: Entry) -> Part:
    """One value of its entries, each of the type of its default."""
    kinds = {name: getattr(kind, "__forward_arg__", str(kind)) for name, kind in cls.__annotations__.items()}
    what = cls.__name__.removesuffix("Spec").lower()
    _known(entry, set(kinds), what)
    values: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in entry.items()}
    for key, value in values.items():
        if type(value).__name__ not in kinds[key]:
            raise ValueError(f"{what}: {key} = {value!r} is no {kinds[key].partition('[')[0]}")
    try:
        return cls(**values)
    except TypeError as problem:
        raise ValueError(f"{what}: {str(problem).rpartition(': ')[2]} is missing") from problem


def _other(entry: Entry) -> OtherSpec:
    """Another HDU with its errors."""
    _known(entry, {"hdu", "error"}, "others")
    return OtherSpec(str(entry["hdu"]), _all(ErrorSpec, entry.get("error", ()), _check_error))


def _check_error(spec: ErrorSpec) -> None:
    if not spec.kind.startswith(FROM_HEADER):
        _one_of(spec.kind, tuple(POWERS), "error: kind")
    if spec.beside and (len(spec.beside) != 2 or not all(spec.beside)):
        raise ValueError("error: beside = [part of the name, what stands in its place]")


def _check_wave(spec: WaveSpec) -> None:
    _one_of(spec.form, FORMS, "wave: form")
    _exactly_one("wave", hdu=spec.hdu, table=spec.table, header=spec.header, wcs=spec.wcs)
    if spec.header and len(spec.header) not in (2, 3):
        raise ValueError("wave: header = [start, step] or [start, step, reference pixel]")


def _check_lsf(spec: LsfSpec) -> None:
    _one_of(spec.form, FORMS, "lsf: form")
    _one_of(spec.kind, WIDTHS, "lsf: kind")


def _check_fibers(spec: FiberSpec) -> None:
    _exactly_one("fibers", table=spec.table, header=spec.header, arrays=spec.arrays)
    for pattern in filter(None, (spec.pattern, spec.blocks)):
        try:
            groups = re.compile(pattern).groups
        except re.error as problem:
            raise ValueError(f"fibers: {pattern!r} is no regular expression ({problem})") from problem
        if groups != 2:
            raise ValueError(f"fibers: {pattern!r} needs two groups, the number and the name")


def _check_traces(spec: TraceSpec) -> None:
    _exactly_one("traces", hdu=spec.hdu, table=spec.table, splines=spec.splines)
    if spec.table and not spec.coefficients:
        raise ValueError("traces: a table needs coefficients, the beginning of the names of its columns")


def _exactly_one(what: str, **choices: object) -> None:
    """Raise unless one of the keys is given."""
    if sum(bool(value) for value in choices.values()) != 1:
        raise ValueError(f"{what}: needs one of {', '.join(choices)}")


def _one_of(word: object, known: tuple[str, ...], what: str) -> None:
    if word not in known:
        raise ValueError(f"{what} = {word!r} is none of {', '.join(k for k in known if k)}")


def _known(entry: Entry, known: Iterable[str], what: str) -> None:
    """Raise for a key that means nothing."""
    unknown = sorted(set(_table(entry)) - set(known))
    if unknown:
        raise ValueError(f"{what} has no {', '.join(unknown)} (known: {', '.join(sorted(known))})")


def _many(value: object) -> list[Entry]:
    """One table, or a list of tables; a text is the table of an HDU of that name."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    return [{"hdu": one} if isinstance(one, str) else _table(one) for one in listed]


def _table(value: object) -> Entry:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is no table")
    return value


def _texts(value: object) -> tuple[str, ...]:
    """A text or a list of texts."""
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(one, str) for one in listed):
        raise ValueError(f"{value!r} is no list of texts")
    return tuple(listed)
