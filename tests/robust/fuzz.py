"""A seeded fuzzer: damaged files of every family, each opened in a process that may end; counts of what came of it.

`python -m tests.robust.fuzz SEED COUNT` prints the counts and what is not as it should be as JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from ifuview.errors import IfuviewError
from tests.robust.seeds import Open, made

REFUSED, OPENED = "refusal", "opened"
WRONG, HANG, CRASH, MEMORY = "wrong exception", "hang", "crash", "over memory"
CHANGED, LEFT = "input changed", "leftovers"
BAD = (WRONG, HANG, CRASH, MEMORY, CHANGED, LEFT)
AT_ONCE = 20  # inputs of one process
SECONDS = 20  # of the processor that one input may take
PATIENCE = 180  # s that a process may be silent
ROOM = 2 << 30  # bytes of addresses that a process may take beyond those at its start
GROWTH = 600 << 10  # KiB that one input may add to the memory of its process
ODD_NUMBERS = (b"1E400", b"-1", b"99999999999999999999", b"NaN", b"0", b"T", b"2147483648", b"-2.5", b"'x'", b"1e-320")


class Slow(BaseException):
    """An input took too long; no handler of errors may catch it."""


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A damaged copy: flipped bits, cut off, holes, pieces twice or exchanged, other numbers, rubbish."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        head = min(len(out), 6000) if rng.random() < 0.5 else len(out)
        at = rng.randrange(max(head, 1))
        size = rng.choice((1, 4, 80, 512, 2880))
        kind = rng.randrange(8)
        if kind == 0:
            for _ in range(rng.randint(1, 12)):
                if out:
                    out[rng.randrange(max(min(head, len(out)), 1)) % len(out)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            out[at : at + size] = bytes(min(size, len(out) - at))
        elif kind == 3:
            out[at:at] = out[at : at + size]
        elif kind == 4:
            del out[at : at + size]
        elif kind == 5:
            _other_number(out, at, rng)
        elif kind == 6:
            out[at : at + size] = rng.randbytes(size)
        else:
            out += rng.randbytes(size)
    return bytes(out)


def _other_number(out: bytearray, at: int, rng: random.Random) -> None:
    """Put an odd number in the place of the next one."""
    start = next((i for i in range(at, min(len(out), at + 4000)) if 48 <= out[i] < 58), None)
    if start is None:
        return
    stop = start
    while stop < len(out) and (48 <= out[stop] < 58 or out[stop] in b".eE+-"):
        stop += 1
    odd = rng.choice(ODD_NUMBERS)
    fits = len(out) > start and b"SIMPLE" in out[:80]
    if fits:  # cards keep their length
        low = max(stop - max(len(odd), stop - start), 0)
        out[low:stop] = odd.rjust(stop - low)[: stop - low]
    else:
        out[start:stop] = odd


def tried(path: Path, data: bytes, read: Open) -> tuple[str, str]:
    """What comes of one input, and the trace of what should not be."""
    path.write_bytes(data)
    before, memory = sorted(os.listdir(path.parent)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mark = hashlib.sha1(data).digest()
    outcome, detail = OPENED, ""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read(str(path))
    except IfuviewError as problem:
        outcome = REFUSED
        if not str(problem).isprintable() or len(str(problem)) > 1200 + len(str(path)):
            outcome, detail = WRONG, f"message: {str(problem)[:300]!r}"
    except Slow:
        outcome, detail = HANG, "".join(traceback.format_exc(limit=-6))
    except MemoryError:
        outcome, detail = MEMORY, "".join(traceback.format_exc(limit=-6))
    except Exception:
        outcome, detail = WRONG, "".join(traceback.format_exc(limit=-6))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory > GROWTH:
        outcome, detail = MEMORY, detail or "the memory of the process grew"
    if not path.exists() or hashlib.sha1(path.read_bytes()).digest() != mark:
        outcome = CHANGED
    if sorted(os.listdir(path.parent)) != before:
        outcome, detail = LEFT, str(os.listdir(path.parent))
    return outcome, detail


def run(seed: int, count: int) -> dict[str, Any]:
    """Try `count` damaged files; counts by outcome, and what was wrong."""
    counts: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        good, work = Path(place) / "good", Path(place) / "work"
        good.mkdir()
        work.mkdir()
        seeds = made(good)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, path, read in seeds:  # what is loaded once is loaded before processes part; all of them open
                _read_once(name, path, read)
        for first in range(0, count, AT_ONCE):
            todo = list(range(first, min(first + AT_ONCE, count)))
            while todo:
                done = _in_process(seed, todo, seeds, work)
                for number, (outcome, detail) in done.items():
                    counts[outcome] += 1
                    if outcome in BAD:
                        wrong.append({"number": number, "family": seeds[number % len(seeds)][0], "outcome": outcome,
                                      "detail": detail})  # fmt: skip
                todo = [number for number in todo if number not in done]
    return {
        "seed": seed,
        "count": count,
        "outcomes": {name: counts[name] for name in (REFUSED, OPENED, *BAD)},
        "wrong": wrong,
    }


def _read_once(name: str, path: Path, read: Open) -> None:
    """Open a good file; one that holds no image may be refused, and nothing else."""
    try:
        read(str(path))
    except IfuviewError as problem:
        if "config" not in name:
            raise AssertionError(f"the seed {name} is no good: {problem}") from problem


def case(seed: int, number: int, seeds: list[tuple[str, Path, Open]]) -> tuple[Path, bytes, Open]:
    """The damaged file of a number: its own random numbers, so that each can be made again alone."""
    _, path, read = seeds[number % len(seeds)]
    return path, damaged(path.read_bytes(), random.Random(f"{seed} {number}")), read


def _in_process(
    seed: int, todo: list[int], seeds: list[tuple[str, Path, Open]], work: Path
) -> dict[int, tuple[str, str]]:
    """Try some inputs in a process of their own; of one that ends, the input at fault is the last."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(seed, todo, seeds, work, writer)
    os.close(writer)
    done: dict[int, tuple[str, str]] = {}
    signal.alarm(PATIENCE)
    try:
        with os.fdopen(reader) as lines:
            for line in lines:
                number, outcome, detail = json.loads(line)
                done[number] = (outcome, detail)
                signal.alarm(PATIENCE)
        outcome = CRASH
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        outcome = HANG
    finally:
        signal.alarm(0)
    _, status = os.waitpid(child, 0)
    if len(done) < len(todo):
        at = next(number for number in todo if number not in done)
        done[at] = (outcome, f"the process ended with {os.waitstatus_to_exitcode(status)}")
    return done


def _child(seed: int, todo: list[int], seeds: list[tuple[str, Path, Open]], work: Path, writer: int) -> None:
    """Try inputs and tell of each; never returns."""

    def slow(*_: object) -> None:
        raise Slow

    try:
        warnings.simplefilter("ignore")
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
        signal.signal(signal.SIGPROF, slow)
        pages = int(Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc/self/statm") else 0
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
        for number in todo:
            path, data, read = case(seed, number, seeds)
            here = work / f"{number}"
            here.mkdir(exist_ok=True)
            outcome, detail = tried(here / path.name, data, read)
            os.write(writer, (json.dumps([number, outcome, detail[-3000:]]) + "\n").encode())
            if outcome not in BAD:
                (here / path.name).unlink()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main(argv: list[str]) -> int:
    """Print what `run` found; 1 if anything is wrong."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    found = run(int(argv[0]), int(argv[1]))
    print(json.dumps(found, indent=1))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
