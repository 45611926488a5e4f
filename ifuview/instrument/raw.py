"""The `[raw]` part of an instrument file, checked, as a RawSpec."""

from __future__ import annotations

from types import MappingProxyType

from ifuview.instrument.parts import check_pattern, checked_part
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
    own = checked_part(table, "raw", RawSpec._fields)
    for key, groups in GROUPS.items():
        check_pattern("raw", key, str(own.get(key, "")), groups)
    rows, columns = (int(n) for n in own["shape"])
    return RawSpec(
        file=str(own["file"]),
        observation=str(own["observation"]),
        exposure=str(own["exposure"]),
        shape=(rows, columns),
        overscan=int(own["overscan"]),
        target=str(own.get("target", "")),
        dropped=int(own.get("dropped", 0)),
        gain=float(own.get("gain", 1.0)),
        readnoise=float(own.get("readnoise", 0.0)),
        detectors=tuple(
            CcdSpec(str(one["camera"]), str(one.get("slot", "")), tuple(one["amplifiers"]))
            for one in own.get("detectors", ())
        ),
        windows=MappingProxyType({kind: int(days) for kind, days in own.get("windows", {}).items()}),
        swaps=tuple(int(night) for night in own.get("swaps", ())),
        lamps=MappingProxyType({camera: tuple(names) for camera, names in own.get("lamps", {}).items()}),
    )
