"""The benchmark's own arithmetic and words; its measurements are run by `python -m tests.bench`."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time

import pytest

from tests.bench import __main__ as bench
from tests.bench import screen, startup


def test_a_row_reads_as_ok_missed_or_not_measured():
    assert bench.line(("a", 0.5, 0.6, "x", True)).endswith("ok")
    assert bench.line(("a", 0.7, 0.6, "x", False)).endswith("MISSED")
    assert "not measured" in bench.line(("a", math.nan, 0.6, "x", True))
    assert bench.line(("a", 3.0, 0, "s", True)).split() == ["a", "3", "s"]


def test_ratios_are_taken_within_a_round():
    assert startup._paired([1, 4, 9], [2, 4, 3]) == 1.0
    assert startup._paired([1, math.nan], [2, 1]) == 0.5
    assert math.isnan(startup._paired([1], []))
    assert startup._row("a", math.nan, 0.6, "x")[4]
    assert not startup._row("a", 0.7, 0.6, "x")[4]


def test_unknown_parts_and_parts_without_a_module(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        bench.main(["bogus"])
    monkeypatch.setitem(bench.PARTS, "later", "no_such_part")
    assert bench._measure("later", True) == []
    assert "not there yet" in capsys.readouterr().out


def test_a_missed_bar_is_exit_code_one(monkeypatch, tmp_path):
    rows = [("good", 1.0, 2.0, "s", True), ("bad", 3.0, 2.0, "s", False)]
    monkeypatch.setattr(bench, "_measure", lambda part, quick: rows)
    monkeypatch.setattr(bench.screen.shutil, "which", lambda name: None)
    assert bench.main(["start", "--json", str(tmp_path / "rows.json")]) == 1
    assert [r["name"] for r in json.loads((tmp_path / "rows.json").read_text())] == ["good", "bad"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
def test_memory_and_cpu_are_those_of_the_whole_family():
    code = "import time; data = bytearray(64 << 20); print('ready', flush=True); time.sleep(30)"
    shell = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    process = subprocess.Popen([sys.executable, "-c", shell], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert len(screen.family(process.pid)) == 2
        found = screen.memory(process.pid)
        assert found["anonymous"] > 64
        assert found["peak"] >= found["resident"] > found["anonymous"]
        assert screen.cpu_seconds(process.pid) > 0
        assert any("python" in name or "libc" in name for name in screen.mapped_files(process.pid))
    finally:
        process.stdout.close()
        screen.end(process)
    began = time.monotonic()
    while screen.family(process.pid) != [process.pid] and time.monotonic() - began < 5:
        time.sleep(0.05)
    assert process.poll() is not None
