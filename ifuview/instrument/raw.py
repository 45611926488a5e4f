"""The `[raw]` part of an instrument file, checked, as a RawSpec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ifuview.model.night.raw_spec import CcdSpec, RawSpec

GROUPS = {
    "file": ("start", "slot", "amplifier", "kind"),
    "observation": ("observation",),
    "exposure": ("exposure",),
    "target": ("slot",),
}


def raw(table: object) -> RawSpec | None:
    """Return what an instrument file says of raw data, None without such a part.

    Raises
    ------
    ValueError
        An entry that means nothing; the text says which.
    """
    if table is None:
        return None
    if not isinstance(table, Mapping):
        raise ValueError("raw must be written [raw]")
    unknown = sorted(set(table) - set(RawSpec._fields))
    if unknown:
        raise ValueError(f"[raw] has no {', '.join(unknown)} (known: {', '.join(RawSpec._fields)})")
    for key, groups in GROUPS.items():
        _check_pattern(key, str(table.get(key, "")), groups)
    rows, columns = (int(n) for n in table["shape"])
    return RawSpec(
        file=str(table["file"]),
        observation=str(table["observation"]),
        exposure=str(table["exposure"]),
        shape=(rows, columns),
        overscan=int(table["overscan"]),
        target=str(table.get("target", "")),
        dropped=int(table.get("dropped", 0)),
        gain=float(table.get("gain", 1.0)),
        readnoise=float(table.get("readnoise", 0.0)),
        detectors=tuple(
            CcdSpec(str(one["camera"]), str(one.get("slot", "")), tuple(one["amplifiers"]))
            for one in table.get("detectors", ())
        ),
        windows=MappingProxyType({kind: int(days) for kind, days in table.get("windows", {}).items()}),
        swaps=tuple(int(night) for night in table.get("swaps", ())),
        lamps=MappingProxyType({camera: tuple(names) for camera, names in table.get("lamps", {}).items()}),
    )


def _check_pattern(name: str, pattern: str, groups: tuple[str, ...]) -> None:
    """Raise ValueError for what is no regular expression, or lacks a group."""
    try:
        known = re.compile(pattern).groupindex
    except re.error as problem:
        raise ValueError(f"[raw] {name} is no regular expression ({problem})") from problem
    lacking = [group for group in groups if pattern and group not in known]
    if lacking:
        raise ValueError(f"[raw] {name} lacks the group {', '.join(lacking)}")
