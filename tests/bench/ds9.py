"""Times ds9 itself, inside its own Tcl interpreter over XPA, on the steps that the canvas is timed on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench import frames

NAME = "ifuview-bench-ds9"
WINDOW = "1600x1000+0+0"
PATIENCE = 60.0  # seconds to load, and to run

# each step ends with a question to the X server, so that what was asked before has been drawn
SCRIPT = r"""
proc bench_step {n body} {
    set spans {}
    for {set k 0} {$k < $n} {incr k} {
        set start [clock microseconds]
        uplevel #0 [string map [list @K $k] $body]
        update idletasks; update; winfo pointerxy .
        lappend spans [expr {([clock microseconds] - $start) / 1000.0}]
    }
    set spans [lsort -real $spans]
    return "[lindex $spans [expr {$n / 2}]] [lindex $spans [expr {int(0.95 * $n)}]] [lindex $spans 0]"
}
proc bench_all {n path} {
    global current
    set file [open $path.part w]
    set pan {PanCanvas [expr {@K % 20 < 10 ? 5 : -5}] [expr {@K % 20 < 10 ? 3 : -3}]}
    puts $file "frameswitch [bench_step $n NextFrame]"
    puts $file "pan [bench_step $n $pan]"
    $current(frame) colormap begin
    puts $file "contrast [bench_step $n {
        set bar $current(frame)cb
        $bar adjust [expr {1 + 0.05 * @K}] 0.5
        $current(frame) colormap motion [$bar get colormap]
    }]"
    $current(frame) colormap end
    puts $file "limits [bench_step $n {$current(frame) clip user 0 [expr {50 + @K}]; $current(frame) clip mode user}]"
    set zoom [lindex [$current(frame) get zoom] 0]
    Zoom [expr {1.0 / $zoom}] [expr {1.0 / $zoom}]
    update
    puts $file "pan11 [bench_step $n $pan]"
    puts $file "zoom [bench_step $n {if {@K % 20 < 10} {Zoom 1.1 1.1} else {Zoom [expr {1 / 1.1}] [expr {1 / 1.1}]}}]"
    close $file
    file rename -force $path.part $path
}
"""


def timings(name: str, n: int) -> dict[str, dict[str, float]]:
    """Return step -> median, p95 and best in ms; empty where ds9 or XPA is not installed."""
    if not all(shutil.which(tool) for tool in ("ds9", "xpaset", "xpaget")):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, XPA_METHOD="local", TMPDIR=folder)
        command = ["ds9", "-geometry", WINDOW, "-title", NAME]
        for k, path in enumerate(frames.paths(name)):
            command += [*(["-frame", "new"] if k else []), "-zscale", str(path), "-zoom", "to", "fit"]
        command += ["-frame", "1"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env=env, start_new_session=True, **quiet)
        try:
            return _measure(env, Path(folder) / "result", n)
        finally:
            _end(process)


def _measure(env: dict[str, str], result: Path, n: int) -> dict[str, dict[str, float]]:
    """Send the script when all frames are loaded, and read what it wrote."""
    wanted = str(frames.NFRAMES)
    if not _wait(lambda: _ask(env, "frame", "all").split()[-1:] == [wanted]):
        return {}
    time.sleep(1.5)  # the last frame is drawn
    _tell(env, SCRIPT)
    _tell(env, f"bench_all {n} {result}")
    if not _wait(result.exists):
        return {}
    out = {}
    for line in result.read_text().splitlines():
        step, *values = line.split()
        out[step] = dict(zip(("median", "p95", "best"), map(float, values)))
    return out


def _ask(env: dict[str, str], *words: str) -> str:
    return subprocess.run(["xpaget", NAME, *words], env=env, capture_output=True, text=True).stdout


def _tell(env: dict[str, str], script: str) -> None:
    subprocess.run(["xpaset", NAME, "tcl"], env=env, input=script, text=True, capture_output=True)


def _wait(ready: object) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if ready():  # type: ignore[operator]
            return True
        time.sleep(0.3)
    return False


def _end(process: subprocess.Popen) -> None:
    """End the process group that was started here."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        pass
