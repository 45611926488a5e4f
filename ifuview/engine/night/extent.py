"""How far a finding reaches: cameras and petals of its exposure, other exposures, this field or all night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ifuview.model.night.triage import Finding

Place = tuple[int, str]  # exposure, camera
ALL_PETALS = 8  # petals of an exposure that count as all
OF_CCD = ("ccd-row", "ccd-column", "amplifier-step", "amplifier-noise", "charge-transfer", "cosmic-rays")
ALIKE = 0.5  # of the fibers of two cameras of one petal that one defect has in common
BY_WAVE = ("wavelength-blocks", "wavelength-all", "sky-line residual", "sky-gradient", "fluxcalib", "mixed-production")


@dataclass(frozen=True, slots=True)
class NightReach:
    """What was looked at.

    Parameters
    ----------
    tiles : mapping of int to int
        Exposure -> field on the sky (0 unknown), of all exposures looked at.
    cameras : tuple of (exposure, camera)
    """

    tiles: Mapping[int, int]
    cameras: tuple[Place, ...]


def same(a: Finding, b: Finding) -> bool:
    """Whether two findings are one defect, seen in two places."""
    if a.kind != b.kind or a.first_step != b.first_step or a.amplifier != b.amplifier:
        return False
    if a.camera != b.camera and _same_fibers(a, b):
        return True
    if a.kind in BY_WAVE:
        return overlap(a.wave_range, b.wave_range) > 0.3
    return a.camera == b.camera and bool(set(a.fibers) & set(b.fibers))


def _same_fibers(a: Finding, b: Finding) -> bool:
    """Whether the arms of one petal show a defect in the same fibers of one exposure; each has a CCD of its own."""
    if a.expid != b.expid or a.camera[1:] != b.camera[1:] or a.kind in OF_CCD or not (a.fibers and b.fibers):
        return False
    one, other = set(a.fibers), set(b.fibers)
    return len(one & other) > ALIKE * len(one | other)


def overlap(a: tuple[float, float] | None, b: tuple[float, float] | None) -> float:
    """Common part of two wavelength ranges, of the shorter one; None is everything."""
    if a is None or b is None:
        return 1.0
    common = min(a[1], b[1]) - max(a[0], b[0])
    return max(common, 0.0) / max(min(a[1] - a[0], b[1] - b[0]), 1e-9)


def with_extent(findings: Sequence[Finding], night: NightReach) -> list[Finding]:
    """The findings, each with how far it reaches."""
    alike: dict[int | str, list[Finding]] = {}
    places: dict[int | str, list[Place]] = {}
    for finding in findings:  # a night has tens of thousands: look only among those of its exposure and its camera
        alike.setdefault(finding.expid, []).append(finding)
        alike.setdefault(finding.camera, []).append(finding)
    for place in night.cameras:
        places.setdefault(place[0], []).append(place)
        places.setdefault(place[1], []).append(place)
    out = []
    for f in findings:
        near = [*alike[f.expid], *alike[f.camera]]
        here = NightReach(night.tiles, (*places.get(f.expid, ()), *places.get(f.camera, ())))
        out.append(replace(f, extent=_text(f, near, here), detail={**f.detail, **_numbers(f, near, here)}))
    return out


def _places(finding: Finding, findings: Sequence[Finding]) -> tuple[set[str], set[int]]:
    """Cameras of its exposure and exposures of its cameras that have the same defect."""
    alike = [f for f in findings if same(finding, f)]
    cameras = {f.camera for f in alike if f.expid == finding.expid}
    exposures = {f.expid for f in alike if f.camera == finding.camera}
    return cameras, exposures


def _numbers(finding: Finding, findings: Sequence[Finding], night: NightReach) -> dict[str, object]:
    cameras, exposures = _places(finding, findings)
    return {"cameras": sorted(cameras), "exposures": sorted(exposures), "reach": _reach(finding, exposures, night)}


def _reach(finding: Finding, exposures: set[int], night: NightReach) -> str:
    """One of: only exposure, this exposure, this tile, from this exposure on, all night, some exposures."""
    looked = sorted({e for e, camera in night.cameras if camera == finding.camera})
    clean = [e for e in looked if e not in exposures]
    if len(looked) < 2:
        return "only exposure"
    tile = night.tiles.get(finding.expid, 0)
    if not clean:
        return "all night"
    tiles = {night.tiles.get(e, 0) for e in exposures}
    others = {night.tiles.get(e, 0) for e in clean}
    if tile and tiles == {tile} and tile not in others and len(exposures) > 1:
        return "this tile"
    if len(exposures) == 1:
        return "this exposure"
    if max(clean) < min(exposures):
        return "from this exposure on"
    return "some exposures"


def _text(finding: Finding, findings: Sequence[Finding], night: NightReach) -> str:
    """Petals and exposures as words."""
    cameras, exposures = _places(finding, findings)
    looked = sorted({camera for e, camera in night.cameras if e == finding.expid})
    petals = sorted({c[1:] for c in cameras})
    if len(cameras) == 1:
        where = f"{finding.camera} only" if len(looked) > 1 else finding.camera
    elif len(petals) >= ALL_PETALS:
        where = "all petals"
    else:
        where = f"{'all' if set(looked) == cameras else 'of'} cameras looked at: {', '.join(sorted(cameras))}"
        where = where if set(looked) == cameras else f"cameras {', '.join(sorted(cameras))}"
    reach = _reach(finding, exposures, night)
    listed = ", ".join(map(str, sorted(exposures)))
    when = {
        "only exposure": "no other exposure looked at",
        "this exposure": f"exposure {finding.expid} only",
        "this tile": f"tile {night.tiles.get(finding.expid, 0)} only ({listed})",
        "from this exposure on": f"from exposure {min(exposures)} on",
        "all night": f"all exposures looked at ({listed})",
        "some exposures": f"exposures {listed}",
    }[reach]
    return f"{where}; {when}"
