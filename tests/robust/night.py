"""A night of which some files are damaged: the verdicts on the other cameras are those of the whole night.

`python -m tests.robust.night FOLDER SEED SHARE` prints what differs as JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
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
        touched = {place for place in before for path in bad if f"{place[1]}-{place[0]:08d}" in path.name}
        wrong = [f"{place}: {before[place]} and {after.get(place)}" for place in before
                 if place not in touched and before[place] != after.get(place)]  # fmt: skip
        return {"damaged": [path.name for path in bad], "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(differing(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])), indent=1))
