"""A night of which some files are damaged: the verdicts on the other cameras are those of the whole night.

`python -m tests.robust.night FOLDER SEED SHARE` prints what differs as JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ifuview.errors import IfuviewError
from tests.robust.fuzz import damaged


def verdicts(folder: Path) -> dict[tuple[int, str], set[tuple[str, str]]]:
    """Findings of each camera and exposure of a night."""
    from ifuview.app.night.triage.run import run_triage

    result = run_triage([str(folder)])
    out: dict[tuple[int, str], set[tuple[str, str]]] = {place: set() for place in result.cameras}
    for finding in result.findings:
        out[finding.expid, finding.camera].add((finding.kind, finding.first_step))
    return out


def differing(
    folder: Path, seed: int, share: float, before: dict[tuple[int, str], set[tuple[str, str]]] | None = None
) -> dict[str, list[str]]:
    """Files that were damaged, and cameras without one of them whose findings are others than in the whole night.

    `before`: those of the whole night, if they are known.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as top:
        copy = Path(top) / "night"
        shutil.copytree(folder, copy)
        before = verdicts(copy) if before is None else before
        files = sorted(path for path in copy.rglob("*.fits*") if path.is_file())
        bad = rng.sample(files, max(round(share * len(files)), 1))
        for path in bad:
            path.chmod(0o644)
            path.write_bytes(damaged(path.read_bytes(), rng))
        try:
            after = verdicts(copy)
        except IfuviewError as problem:
            return {"damaged": [path.name for path in bad], "wrong": [f"the night was refused: {problem}"]}
        touched = {place for place in before for path in bad if _is_of(path.name, place, before)}
        wrong = [f"{place}: {before[place]} and {after.get(place)}" for place in before
                 if place not in touched and before[place] != after.get(place)]  # fmt: skip
        return {"damaged": [path.name for path in bad], "wrong": wrong}


def _is_of(name: str, place: tuple[int, str], all_of_them: Iterable[tuple[int, str]]) -> bool:
    """Whether a file is of an exposure of a camera, or a calibration of that camera for the whole night."""
    number, camera = place
    single = any(f"-{camera}-{other:08d}" in name for other, same in all_of_them if same == camera)
    return f"-{camera}-{number:08d}" in name if single else f"-{camera}-" in name


if __name__ == "__main__":
    print(json.dumps(differing(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])), indent=1))
