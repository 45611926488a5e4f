"""One instrument file (TOML) to one checked InstrumentSpec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ifuview.errors import FileFormatError, MissingDataError, UnknownInstrumentError
from ifuview.inputs import read_toml
from ifuview.instrument.products import products
from ifuview.model.fibers import FiberRole
from ifuview.model.instrument import Alarm, AmplifierSpec, CameraSpec, InstrumentSpec, Least, OrientationCase
from ifuview.model.orientation import Orientation
from ifuview.model.quality import MaskBits

if TYPE_CHECKING:
    from ifuview.model.chain_spec import ChainSpec
    from ifuview.model.night.raw_spec import RawSpec

FLIPS = ("transpose", "flip_cross", "flip_disp")
TARGET_BIT, STATUS_BIT = 62, 31  # the last that 64 and 32 bits have room for
LARGEST = 1 << 20  # px of a detector
SIDES = ("above", "below", "change")
OWN_LIMITS = ("limits", "steps", "alarms", "triage")  # tables that a user may set beside the program's file
MATCH_KEYS = ("header", "keys", "names", "files")
KEYS = (
    *("name", "title", "match", "geometry", "camera", "amplifier", "header", "columns", "roles", "role_bits", "status"),
    *("tables", "companions", "bits", "limits", "product", "chain", "raw", "steps", "alarms", "triage"),
)


def load_instrument(path: Path, own: Path | None = None) -> InstrumentSpec:
    """Read one instrument file; `own`: another one with limits that count in place of its own.

    Raises
    ------
    UnknownInstrumentError
        It is missing, is no TOML, or has an entry that means nothing.
    """
    table = _table(path)
    if own is not None:
        table = with_limits(table, own)
    unknown = sorted(set(table) - set(KEYS))
    if unknown or "name" not in table:
        text = f"unknown entries {', '.join(unknown)}" if unknown else 'the entry "name" is missing'
        raise UnknownInstrumentError(f"the instrument file is wrong: {text}", path.name)
    try:
        spec = _spec(table)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError) as problem:
        text = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        raise UnknownInstrumentError(f"the instrument file is wrong: {text}", path.name) from problem
    if spec.name != path.stem:
        text = f'its name is "{spec.name}": call the file {spec.name}.toml'
        raise UnknownInstrumentError(f"the instrument file is wrong: {text}", path.name)
    return spec


def _table(path: Path) -> dict[str, Any]:
    """What a file holds."""
    try:
        return read_toml(path)
    except (FileFormatError, MissingDataError) as problem:
        raise UnknownInstrumentError(f"the instrument file cannot be read ({problem.what})", path.name) from problem


def with_limits(table: Mapping[str, Any], own: Path) -> dict[str, Any]:
    """The content of an instrument file with the limits of another one: what that names counts."""
    limits = _table(own)
    unknown = sorted(set(limits) - set(OWN_LIMITS))
    if unknown or not all(isinstance(part, dict) for part in limits.values()):
        text = f"{', '.join(unknown) or 'an entry'} is none of the tables {', '.join(OWN_LIMITS)}"
        raise UnknownInstrumentError(f"the file of limits is wrong: {text}", own.name)
    return dict(table) | {name: {**table.get(name, {}), **part} for name, part in limits.items()}


def _spec(table: Mapping[str, Any]) -> InstrumentSpec:
    """Put the parts together."""
    geometry = table.get("geometry", {})
    role_bits = dict(table.get("role_bits", {}))
    status = table.get("status", {})
    _check_match(table.get("match", {}))
    _lists(table.get("tables", {}))  # read where tables of any instrument are shown
    return InstrumentSpec(
        name=_text(table, "name"),
        title=_text(table, "title", table["name"]),
        orientation=_orientation(geometry),
        cases=tuple(
            OrientationCase(_texts(case["keys"]), _texts(case["values"]), _orientation(case))
            for case in geometry.get("case", ())
        ),
        nfiber=int(geometry.get("nfiber", 0)),
        numbered=bool(geometry.get("numbered", False)),
        block=_text(geometry, "block", "block"),
        block_size=int(geometry.get("block_size", 0)),
        fiber_diameter=None if (size := geometry.get("fiber_diameter")) is None else float(size),
        medium=_text(geometry, "medium"),
        cameras=tuple(_camera(camera) for camera in table.get("camera", ())),
        amplifiers=tuple(amp for entry in table.get("amplifier", ()) for amp in _amplifiers(entry)),
        bits=_bits(table.get("bits", {})),
        header=_lists(table.get("header", {})),
        columns=_lists(table.get("columns", {})),
        roles=MappingProxyType({key.upper(): FiberRole(value) for key, value in table.get("roles", {}).items()}),
        role_columns=_texts(role_bits.pop("columns", ())),
        role_bits=MappingProxyType({FiberRole(role): _whole(bits, TARGET_BIT) for role, bits in role_bits.items()}),
        dead_bits=_whole(status.get("dead", ()), STATUS_BIT),
        known_bits=_whole(status.get("known", ()), STATUS_BIT),
        status_codes=bool(status.get("codes", False)),
        good_codes=_whole(status.get("good", (0,)), STATUS_BIT),
        companions=_lists(table.get("companions", {})),
        products=products(table.get("product", [])),
        chain=_chain(table),
        limits=_limits(table.get("limits", {})),
        raw=_raw(table),
        step_limits=_step_limits(table.get("steps", {})),
        alarms=_alarms(table.get("alarms", {})),
        triage=_triage(table.get("triage", {})),
    )


def _chain(table: Mapping[str, Any]) -> ChainSpec | None:
    """The chain of products; its checks are loaded for the few files that have one."""
    if "chain" not in table:
        return None
    from ifuview.instrument.chain import chain

    return chain(table["chain"], table["name"])


def _raw(table: Mapping[str, Any]) -> RawSpec | None:
    """The raw files, in the same way."""
    if "raw" not in table:
        return None
    from ifuview.instrument.raw import raw

    return raw(table["raw"])


def _check_match(rules: Mapping[str, Any]) -> None:
    """Raise ValueError where the rules to know a file by mean nothing."""
    unknown = sorted(set(rules) - set(MATCH_KEYS))
    if unknown:
        raise ValueError(f"[match] has no {', '.join(unknown)} (known: {', '.join(MATCH_KEYS)})")
    lists = [rules.get("files", []), *rules.get("header", {}).values(), *rules.get("names", []), *rules.get("keys", [])]
    if not all(isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists):
        raise ValueError('[match] needs lists of texts: header = { INSTRUME = ["..."] }, names = [["...", "..."]]')


def _orientation(entry: Mapping[str, Any]) -> Orientation:
    return Orientation(**{flip: bool(entry.get(flip, False)) for flip in FLIPS})


def _camera(entry: Mapping[str, Any]) -> CameraSpec:
    low, high = (float(wave) for wave in entry["wave"])
    shape = None
    if "shape" in entry:
        ny, nx = _whole(entry["shape"], LARGEST)
        shape = ny, nx
    step = entry.get("dispersion")
    return CameraSpec(_text(entry, "name"), low, high, shape, None if step is None else float(step))


def _amplifiers(entry: Mapping[str, Any]) -> list[AmplifierSpec]:
    """One entry stands for all its names: "{}" in a keyword is the name."""
    keys = [entry.get(key, "") for key in ("section", "gain", "readnoise")]
    return [AmplifierSpec(name, *(key.format(name) for key in keys)) for name in _texts(entry["names"])]


def _bits(table: Mapping[str, Any]) -> Mapping[str, MaskBits]:
    """Bit tables; a text instead of a table names another one."""
    out = {
        kind: MaskBits(MappingProxyType({int(bit): _pair(pair) for bit, pair in bits.items()}))
        for kind, bits in table.items()
        if not isinstance(bits, str)
    }
    return MappingProxyType(out | {kind: out[other] for kind, other in table.items() if isinstance(other, str)})


def _limits(table: Mapping[str, Any]) -> Mapping[str, float]:
    """Limits of the trace doctor that are not the usual ones."""
    if not table:
        return MappingProxyType({})
    from ifuview.model.traces.doctor import DoctorLimits

    known = DoctorLimits.names()
    for name, value in table.items():
        if name not in known:
            raise ValueError(f"[limits] has no {name} (known: {', '.join(known)})")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise ValueError(f"[limits] {name} is not a number of at least 0")
    return MappingProxyType({name: float(value) for name, value in table.items()})


def _step_limits(table: Mapping[str, Any]) -> Mapping[str, tuple[float, float]]:
    """Limits of the steps of a reduction: look and wrong."""
    for name, pair in table.items():
        numbers = isinstance(pair, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in pair)
        if not numbers or len(pair) != 2 or not 0 <= pair[0] <= pair[1]:
            raise ValueError(f"[steps] {name} needs two numbers: from where on it wants a look, and is wrong")
    return MappingProxyType({name: (float(pair[0]), float(pair[1])) for name, pair in table.items()})


def _triage(table: Mapping[str, Any]) -> Mapping[str, Least]:
    """Limits of the triage: kind = { sigma = 8.0, amount = 0.1 }."""
    if not table:
        return MappingProxyType({})
    from ifuview.model.night.triage import CLASSES

    for name, entry in table.items():
        if name not in CLASSES:
            raise ValueError(f"[triage] has no {name} (known: {', '.join(CLASSES)})")
        known = isinstance(entry, dict) and bool(entry) and set(entry) <= set(Least._fields)
        if not known or not all(type(value) in (int, float) and value >= 0 for value in entry.values()):
            raise ValueError(f"[triage] {name} needs one or both of {', '.join(Least._fields)}, numbers of at least 0")
    return MappingProxyType({name: Least(**entry) for name, entry in table.items()})


def _alarms(table: Mapping[str, Any]) -> tuple[Alarm, ...]:
    """Alarms: name = { above = [look, wrong], below = [look, wrong], change = [look, wrong] }."""
    out = []
    for name, sides in table.items():
        if not isinstance(sides, dict) or not sides or set(sides) - set(SIDES):
            raise ValueError(f"[alarms] {name} needs one or more of {', '.join(SIDES)}")
        for side, pair in sides.items():
            numbers = isinstance(pair, list) and len(pair) == 2 and all(type(v) in (int, float) for v in pair)
            if not numbers or not (pair[0] >= pair[1] if side == "below" else pair[0] <= pair[1]):
                raise ValueError(f"[alarms] {name}: {side} needs where it wants a look, and farther where it is wrong")
            out.append(Alarm(name, side, float(pair[0]), float(pair[1])))
    return tuple(out)


def _lists(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({key: _texts(values) for key, values in table.items()})


def _texts(values: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(values, (list, tuple)) or not all(isinstance(one, str) for one in values):
        raise ValueError(f"{values!r} is no list of texts")
    return tuple(values)


def _pair(values: object) -> tuple[str, str]:
    """Name and meaning of a bit."""
    found = _texts(values)
    if len(found) != 2:
        raise ValueError(f"{values!r} is no name of a bit and its meaning")
    return found[0], found[1]


def _whole(values: object, last: int) -> tuple[int, ...]:
    """A list of whole numbers, such as those of bits."""
    if not isinstance(values, (list, tuple)) or not all(type(one) is int and 0 <= one <= last for one in values):
        raise ValueError(f"{values!r} is no list of whole numbers from 0 to {last}")
    return tuple(values)


def _text(table: Mapping[str, Any], name: str, usual: str = "") -> str:
    """A text of a table."""
    if not isinstance(value := table.get(name, usual), str):
        raise ValueError(f"{name} = {value!r} is no text")
    return value
