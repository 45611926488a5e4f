"""A night over dask: two workers on real products, what is done is not done again, and what may go wrong on the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ifuview import cli
from ifuview.app.night.triage.files import find_cameras
from ifuview.app.night.triage.run import run_triage
from ifuview.batch import tasks as batch_tasks
from ifuview.batch.night import finding_of, put_together, triage_level
from ifuview.batch.run import run_night
from ifuview.batch.tasks import BatchTask, Record, fingerprint, triage_tasks
from ifuview.batch.work import work
from ifuview.commands import batch
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.night.triage import Finding
from ifuview.report.night.index import LEVELS, UNREAD, Cell, NightIndex, page
from ifuview.sets import filled
from tests.app.night.production import write_production

NIGHT, EXPID = "20211014", "00104284"
PRODUCTS = ("frame", "sframe", "sky", "fluxcalib", "cframe")
WAIT_S = 240  # of a loaded machine


def make_night(folder: Path, data: Path, cameras: str, expids: tuple[str, ...] = (EXPID,)) -> Path:
    """A night of links to some cameras of the shared data."""
    source = data / "desi" / "exposures" / NIGHT / EXPID
    if not source.is_dir():
        pytest.skip("these products are not here")
    night = folder / "exposures" / NIGHT
    for expid in expids:
        (night / expid).mkdir(parents=True)
        for camera in cameras.split():
            for product in PRODUCTS:
                name = f"{product}-{camera}-{EXPID}.fits.gz"
                (night / expid / name.replace(EXPID, expid)).symlink_to(source / name)
    calibrations = folder / "calibnight" / NIGHT
    calibrations.mkdir(parents=True)
    for file in (data / "desi" / "calibnight" / NIGHT).iterdir():
        if file.name.split("-")[1] in cameras.split():
            (calibrations / file.name).symlink_to(file)
    return night


@pytest.fixture(scope="module")
def run(tmp_path_factory, shared_data):
    """A night of two good cameras and a broken one, done by two workers."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("night")
    night = make_night(folder, shared_data, "r6 r7")
    (night / EXPID / f"sframe-r8-{EXPID}.fits").write_bytes(b"no FITS file at all" * 300)
    out = folder / "out"
    todo = triage_tasks([str(night)], str(out))
    return night, out, run_night(todo, str(out), workers=2)


def test_cameras_are_done_and_a_broken_one_is_named(run):
    _, out, records = run
    state = {r.camera: r for r in records}
    assert state["r6"].level == state["r7"].level == "fail"
    assert state["r8"].failed
    assert "sframe-r8" in state["r8"].text
    assert not (out / EXPID / "r8").exists()
    assert batch.code(records) == 3
    for camera in ("r6", "r7"):
        tree = json.loads((out / EXPID / camera / "triage.json").read_text("utf-8"))
        assert {f["camera"] for f in tree["findings"]} == {camera}
    assert not list(out.rglob("*.part"))


def test_the_night_knows_how_far_a_defect_reaches(run):
    _, out, _ = run
    tree = json.loads((out / "triage.json").read_text("utf-8"))
    assert tree["schema"] == "ifuview.triage/1"
    blocks = [f for f in tree["findings"] if f["class"] == "wavelength-blocks"]
    assert {f["camera"] for f in blocks} == {"r6", "r7"}
    assert all(f["detail"]["cameras"] == ["r6", "r7"] for f in blocks)
    assert any("r8" in problem for problem in tree["problems"])
    pictures = [f["evidence"] for f in blocks]
    assert all((out / name).is_file() for name in pictures)
    text = (out / "triage.html").read_text("utf-8")
    assert all(f'"{name}"' in text for name in pictures)


def test_the_index_links_to_every_camera(run):
    _, out, _ = run
    text = (out / "index.html").read_text("utf-8")
    for camera in ("r6", "r7"):
        assert f'href="{EXPID}/{camera}/triage.html"' in text
    assert 'class="failed"' in text
    legend = text[text.index('class="legend"') : text.index("<table")]
    assert all(words in legend for _, words in LEVELS.values())
    assert UNREAD not in legend and UNREAD not in {sign for sign, _ in LEVELS.values()}
    assert 'href="triage.html"' in text


def test_a_second_run_does_only_what_failed(run, monkeypatch):
    night, out, _ = run
    before = {p: p.stat().st_mtime_ns for p in out.rglob("done.json")}
    asked = []

    def not_done(todo, records, scheduler, workers, ctx):
        asked.extend(t.camera for t in todo)
        records.update({t.output: Record(t.exposure, t.camera, "failed", text="again") for t in todo})

    monkeypatch.setattr("ifuview.batch.run._run", not_done)
    records = run_night(triage_tasks([str(night)], str(out)), str(out))
    assert asked == ["r8"]
    assert [r.skipped for r in records] == [True, True, False]
    assert {p: p.stat().st_mtime_ns for p in out.rglob("done.json")} == before
    good = triage_tasks([str(night)], str(out), cameras=("r6", "r7"))
    asked.clear()
    run_night(good, str(out))
    assert not asked
    other = triage_tasks([str(night)], str(out), cameras=("r6",), only=("ccd-row",))
    assert batch_tasks.load(other[0]) is None


def test_a_camera_whose_worker_is_killed_is_tried_again(tmp_path, shared_data):
    distributed = pytest.importorskip("distributed")
    night = make_night(tmp_path, shared_data, "r6 r7")
    out = tmp_path / "out"
    todo = triage_tasks([str(night)], str(out))
    done: list[Record] = []
    settings = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": None}
    with distributed.LocalCluster(silence_logs=50, **settings) as cluster:
        address = cluster.scheduler_address
        thread = threading.Thread(
            target=lambda: done.extend(run_night(todo, str(out), scheduler=address)), name="night"
        )
        with distributed.Client(address, set_as_default=False) as client:
            pid = next(iter(client.run(os.getpid).values()))
            thread.start()
            until(lambda: list(out.glob(f"{EXPID}/.*.part")))  # a camera is under way
            os.kill(pid, signal.SIGKILL)
            thread.join(WAIT_S)
            assert next(iter(client.run(os.getpid).values())) != pid
    assert [r.level for r in done] == ["fail", "fail"]
    assert not list(out.rglob("*.part"))


def test_a_camera_that_kills_every_worker_is_named_and_the_others_are_done(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    from ifuview.batch import cluster

    def deadly(task):
        if task.camera == "r6":
            os.kill(os.getpid(), 9)
        return Record(task.exposure, task.camera, "pass")

    monkeypatch.setattr(cluster, "ALLOWED_DEATHS", 0)
    todo = [BatchTask("triage", "1", camera, {}, str(tmp_path / camera)) for camera in ("r6", "r7", "r8")]
    with cluster.connected(None, 1) as client:
        monkeypatch.setattr(cluster, "work", deadly)
        records = {task.camera: record for task, record in cluster.run(client, todo)}
    assert records["r6"].failed
    assert "killed" in records["r6"].text
    assert records["r7"].level == records["r8"].level == "pass"


def test_ctrl_c_leaves_what_is_done(tmp_path, shared_data):
    pytest.importorskip("distributed")
    night = make_night(tmp_path, shared_data, "r7", tuple(f"{n:08d}" for n in range(1, 13)))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ifuview", "batch", "triage", str(night), "--workers", "1", "-o", str(out)]
    process = subprocess.Popen(
        command,
        cwd=Path(__file__).resolve().parents[1],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(lambda: done_in(out) or process.poll() is not None)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
        _, said = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "run again to go on" in (out / "index.html").read_text("utf-8")
    finished = done_in(out)
    assert 1 <= len(finished) < 5
    assert all((p / "triage.json").is_file() for p in finished)
    assert sum(batch_tasks.load(t) is not None for t in triage_tasks([str(night)], str(out))) == len(finished)


def done_in(out: Path) -> list[Path]:
    """Return the finished folders of a batch that may still be writing: no walk into what is about to be moved."""
    return [p.parent for p in out.glob("*/*/done.json") if not p.parent.name.startswith(".")]


@pytest.fixture
def in_this_process(monkeypatch):
    """Work without a worker leaves the threads of the tests as they are."""
    monkeypatch.setattr("ifuview.batch.work.one_thread", lambda: None)


def until(true) -> None:
    """Wait for something, not for ever."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.02)


def test_without_dask_one_sentence_says_how_to_get_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert cli.main(["batch", "triage", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "python3 -m pip install" in said
    assert said.count("\n") == 1


def test_no_scheduler_at_the_address_is_one_sentence(run, monkeypatch, tmp_path, capsys):
    from ifuview.batch import cluster

    monkeypatch.setattr(cluster, "CONNECT_S", 0.3)
    damaged = tmp_path / "scheduler.json"
    damaged.write_text("{no json")
    for address in ("tcp://127.0.0.1:9", "tls://127.0.0.1:9", "nonsense", str(damaged)):
        code = cli.main(["batch", "triage", str(run[0]), "--scheduler", address, "-o", str(tmp_path)])
        assert code == 2
        said = capsys.readouterr().err
        assert said.startswith(f"ifuview: {address}: no dask scheduler answers")
        assert said.count("\n") == 1


def greeted(host: str, port: int, uid: int | None) -> bool:
    """Whether the process of a user, without the credentials of the run, gets a word out of a scheduler."""
    child = os.fork()
    if child == 0:
        try:
            if uid is not None:
                os.setuid(uid)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with socket.create_connection((host, port), 5) as plain, context.wrap_socket(plain) as safe:
                safe.sendall(b"hello")
                os._exit(1 if safe.recv(1) else 0)
        except OSError:
            os._exit(0)
    return bool(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def test_workers_of_its_own_listen_to_nobody_else():
    """A scheduler runs what it is told to as the user who began it: it asks everyone for the secret of the run."""
    pytest.importorskip("distributed")
    from ifuview.batch.cluster import connected

    with connected(None, 1) as client:
        told = client.scheduler_info()
        addresses = [told["address"], *told["workers"]]
        assert all(address.startswith("tls://127.0.0.1:") for address in addresses)
        ports = [port for one in (told, *told["workers"].values()) for port in one["services"].values()]
        for port in ports:
            for page in ("health", "info/main/workers.html", "api/v1/retire_workers", "status"):
                with pytest.raises(HTTPError, match="404"):
                    urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5)
        for address in addresses:
            host, port = address.removeprefix("tls://").split(":")
            for uid in (None, 65534) if os.getuid() == 0 else (None,):
                assert not greeted(host, int(port), uid)
        assert client.submit(sum, [1, 2]).result() == 3


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ((), "no frame"),
        (("--only", "nothing"), "--only"),
        (("--expid", "x"), "exposure number"),
        (("--traces", "f"), "batch diagnose"),
        (("--workers", "0"), "at least 1"),
    ],
)
def test_bad_input_is_one_sentence(more, word, tmp_path, capsys):
    pytest.importorskip("distributed")
    assert cli.main(["batch", "triage", str(tmp_path), "-o", str(tmp_path / "out"), *more]) == 2
    assert word in capsys.readouterr().err


def test_a_diagnosis_takes_the_traces_of_the_night(shared_data, tmp_path):
    night = shared_data / "desi" / "preproc" / NIGHT
    if not night.is_dir():
        pytest.skip("these images are not here")
    todo = batch_tasks.diagnose_tasks([str(night)], str(tmp_path))
    assert {t.camera for t in todo} == {"r6"}
    assert all("psfnight-r6" in t.files["traces"] for t in todo)
    with pytest.raises(MissingDataError, match="detector images"):
        batch_tasks.diagnose_tasks([str(tmp_path)], str(tmp_path))


def test_an_image_is_a_task_by_its_name(tmp_path):
    image = tmp_path / "flat.fits.gz"
    image.write_bytes(b"x")
    (one,) = batch_tasks.diagnose_tasks([str(image)], str(tmp_path / "out"))
    assert (one.exposure, one.camera) == ("flat", "image")


def test_the_fingerprint_follows_size_time_and_options(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"1")
    marks = {fingerprint({"a": str(file)}, ())}
    marks.add(fingerprint({"a": str(file)}, ("x",)))
    os.utime(file, ns=(1, 1))
    marks.add(fingerprint({"a": str(file)}, ()))
    file.write_bytes(b"12")
    os.utime(file, ns=(1, 1))
    marks.add(fingerprint({"a": str(file)}, ()))
    file.unlink()
    marks.add(fingerprint({"a": str(file)}, ()))
    assert len(marks) == 5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "ifuview.batch/2"}', "{"])
def test_a_broken_record_means_not_done(text, tmp_path):
    (tmp_path / "done.json").write_text(text, encoding="utf-8")
    assert batch_tasks.load(BatchTask("triage", "1", "r6", {}, str(tmp_path))) is None


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "r6"
    with filled(folder, alone=True) as part:
        (part / "old").write_text("1")
    with pytest.raises(ValueError, match="no"), filled(folder, alone=True) as part:
        (part / "new").write_text("2")
        raise ValueError("no")
    assert [p.name for p in folder.iterdir()] == ["old"]
    with filled(folder, alone=True) as part:
        (part / "new").write_text("2")
    assert [p.name for p in folder.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["r6"]


def test_exit_codes():
    clean, lost = Record("1", "r6", "pass"), Record("1", "r7", "failed")
    found = Record("1", "r8", "fail", bad=True)
    assert batch.code([clean]) == 0
    assert batch.code([clean, lost]) == 2
    assert batch.code([clean, lost, found]) == 3


def test_what_is_to_be_looked_at_is_not_called_nothing():
    right, dim, wrong = Record("1", "r6", "pass"), Record("1", "r7", "warn"), Record("1", "r8", "fail", bad=True)
    assert batch.summary([right], "o").startswith("1 camera exposure, no findings: ")
    assert batch.summary([right, dim], "o").startswith("2 camera exposures, 1 to look at: ")
    assert batch.summary([dim, wrong], "o").startswith("2 camera exposures, 1 with findings, 1 to look at: ")


def test_a_finding_comes_back_from_its_file():
    one = Finding(
        104284,
        "r6",
        "wavelength-blocks",
        "sky",
        (1, 2),
        (0, 3),
        50,
        (6384.0, 6848.0),
        "A",
        3.0,
        "e",
        9.0,
        alternatives=(("ccd-row", "preproc"),),
    )
    assert finding_of(json.loads(json.dumps(one.as_dict()))).as_dict() == one.as_dict()


def test_the_level_tells_processing_from_fibers_from_what_is_known():
    def level(kind: str, known: bool = False) -> str:
        return triage_level(Finding(1, "r6", kind, "sky", known=known))

    assert level("ccd-row") == "fail"
    assert level("isolated-fiber") == "warn"
    assert level("isolated-fiber", known=True) == level("sky-gradient") == "note"


def test_the_page_orders_cameras_and_escapes_words():
    cells = {("1", "r6"): Cell("fail", "<b>", "<i>", 2, "1/r 6/t.html"), ("2", "b6"): Cell("pass", "clean")}
    text = page(NightIndex("T", "now", "1", {**cells, ("1", "b10"): Cell("waiting", problems=1)}, waiting=1))
    assert f'plain">{UNREAD}</span>' in text
    assert "<b>" not in text
    assert "&lt;b&gt; +1" in text
    assert 'href="1/r%206/t.html"' in text
    assert text.index("<th>b6</th>") < text.index("<th>r6</th>")


def test_a_worker_of_another_version_says_so(tmp_path, in_this_process):
    record = work(BatchTask("triage", "1", "r6", {}, str(tmp_path / "r6"), version="0"))
    assert record.failed
    assert "the worker has ifuview" in record.text
    assert not (tmp_path / "r6").exists()


def test_a_camera_of_a_batch_is_told_what_the_triage_is_told(tmp_path):
    """The same files as those of one instrument, by whatever command."""
    production = str(write_production(tmp_path))
    tasks = triage_tasks([production], str(tmp_path / "out"))
    said = [[(f["class"], f["text"]) for f in work(task).data["findings"]] for task in tasks]
    alone = [run_triage([production], (c.camera,), (c.expid,)) for c in find_cameras([production])]
    assert said == [[(f.kind, f.text) for f in one.findings] for one in alone]
    assert all(said)


def test_a_camera_that_lacks_most_products_is_not_called_clean(tmp_path, shared_data, in_this_process):
    night = make_night(tmp_path, shared_data, "r7")
    for file in (night / EXPID).iterdir():
        if not file.name.startswith("fluxcalib"):
            file.unlink()
    (todo,) = triage_tasks([str(night)], str(tmp_path / "out"))
    record = work(todo)
    assert (record.level, record.short, record.bad) == ("note", "incomplete", False)
    assert "sframe" in record.text


def test_what_another_production_fixed_is_in_the_folder_and_the_night(tmp_path, shared_data, in_this_process):
    night = make_night(tmp_path, shared_data, "r6")
    out = tmp_path / "out"
    plain = triage_tasks([str(night)], str(out))
    after = str(shared_data / "desi" / "after_fix")
    todo = triage_tasks([str(night)], str(out), after=after)
    assert [t.fingerprint for t in plain] != [t.fingerprint for t in todo]
    records = {task.output: work(task) for task in todo}
    put_together(todo, records, str(out))
    for folder in (out, Path(todo[0].output)):
        tree = json.loads((folder / "triage.json").read_text("utf-8"))
        states = {f["class"]: f["status"] for f in tree["after"]}
        assert states["wavelength-blocks"] == "fixed"
        assert states["sky-gradient"] == "remains"
    assert batch_tasks.load(todo[0]).data["after"]
    with pytest.raises(UsageError, match="none of the exposures"):
        triage_tasks([str(night)], str(out), cameras=("r6",), after=str(make_night(tmp_path / "b", shared_data, "r7")))


def test_a_diagnosis_takes_lamps_unless_told_otherwise(shared_data, tmp_path):
    night = shared_data / "desi" / "preproc" / NIGHT
    if not night.is_dir():
        pytest.skip("these images are not here")

    def asked(**more):
        return [t.exposure for t in batch_tasks.diagnose_tasks([str(night)], str(tmp_path), **more)]

    assert asked() == ["00104260"]
    assert asked(types=("science",)) == asked(expids=(104284,)) == ["00104284"]
    with pytest.raises(MissingDataError, match="--obstype"):
        asked(types=("arc",))
