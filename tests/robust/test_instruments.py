"""Instrument files with odd values are refused in a sentence; those that are read open files of that instrument."""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ifuview import resources
from ifuview.errors import IfuviewError
from ifuview.instrument import catalog
from ifuview.instrument.load import load_instrument
from tests.io.products import samples
from tests.robust.seeds import opened

ODD: tuple[Any, ...] = ("", "\u00b2", "x" * 300, -1, 0, 2**40, 2**70, 1e300, -1.5, True, [], {}, [[]], ["a"], {"a": 1},
                        "9" * 30, float("nan"), float("-inf"), "a\nb", "../x", "[", "(", "%", "{")  # fmt: skip
NAMES = sorted(path.stem for path in resources.path("instruments").glob("*.toml"))
SAMPLES = {"lvm": "lvm_extracted", "jwst": "jwst", "pfs": "pfs_arm", "manga": "manga_rss", "weave": "weave"}
READ, OPENED = 300, 40


def written(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {written(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


def odd(value: Any, rng: random.Random, share: float) -> Any:
    """A value with a share of its parts exchanged for odd ones, or gone."""
    if rng.random() < share:
        return rng.choice(ODD)
    if isinstance(value, dict):
        return {key: odd(one, rng, share) for key, one in value.items() if rng.random() > share / 2}
    return [odd(one, rng, share) for one in value] if isinstance(value, list) else value


def put(folder: Path, name: str, rng: random.Random, share: float) -> Path:
    """The file of an instrument with odd values, in a folder."""
    table = tomllib.loads(resources.path(f"instruments/{name}.toml").read_text("utf-8"))
    lines = (f"{json.dumps(key)} = {written(odd(value, rng, share))}\n" for key, value in table.items())
    (folder / f"{name}.toml").write_text("".join(lines), encoding="utf-8")
    return folder / f"{name}.toml"


def test_files_with_odd_values_are_read_or_refused(tmp_path: Path) -> None:
    read = refused = 0
    for number in range(READ):
        rng = random.Random(f"20261130 {number}")
        path = put(tmp_path, rng.choice(NAMES), rng, rng.choice((0.002, 0.01, 0.05)))
        try:
            load_instrument(path)
            read += 1
        except IfuviewError as problem:
            assert str(problem).isprintable()
            refused += 1
    assert min(read, refused) > READ // 20


def test_what_is_read_opens_files(own_instruments: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    files = {name: str(getattr(samples, made)(tmp_path / "data")) for name, made in SAMPLES.items()}
    for number in range(OPENED):
        rng = random.Random(f"20261201 {number}")
        path = put(own_instruments, rng.choice(sorted(files)), rng, 0.004)
        catalog.forget()
        opened(files[path.stem])
        path.unlink()


@pytest.mark.parametrize(("line", "words"), [
    ('[status]\ndead = [["a"]]', "whole numbers from 0 to 31"), ('[columns]\nfiber_id = [["a"]]', "list of texts"),
    ("[geometry]\nmedium = [1]", "medium = .* is no text"),
    ('[bits.pixel]\n1 = ["A"]', "no name of a bit and its meaning"),
    ('[[amplifier]]\nnames = ["A"]\ngain = "{1}"', "instrument file is wrong"),
    ('[[camera]]\nname = "b"\nwave = [1, 2]\nshape = [0.5, "x"]', "whole numbers"),
])  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "own.toml").write_text(f'name = "own"\n{line}\n')
    with pytest.raises(IfuviewError, match=words):
        load_instrument(tmp_path / "own.toml")
