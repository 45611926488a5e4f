"""SAMP against a real hub and a second client: what comes in is shown, what is selected goes out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from ifuview.app import intents as want
from ifuview.simulate.detector import write
from ifuview.simulate.detector.spectra import expose_rss
from tests.gui.windows import settle, window

samp = pytest.importorskip("pyvo.samp")
MOST_SECONDS = 0.2  # from the message to the spectrum, on a machine that does nothing else
LISTENS, ACCEPTS, HOME = "0A", 0x10000, "0100007F"  # in the words of /proc/net: of TCP, of files, 127.0.0.1
BUSY = 5  # times slower that it may be where the tests share it


class Other:
    """A second program at the hub: it keeps what it hears."""

    def __init__(self) -> None:
        self.client = samp.SAMPIntegratedClient(name="other", addr="127.0.0.1")
        self.client.connect()
        self.heard: list[tuple[str, dict]] = []
        for kind in ("image.load.fits", "table.load.votable", "table.highlight.row", "table.select.rowList",
                     "coord.pointAt.sky", "spectrum.load.ssa-generic"):  # fmt: skip
            self.client.bind_receive_notification(kind, self._keep)

    def _keep(self, _key, _sender, kind, params, _extra) -> None:
        self.heard.append((kind, params))

    def tell(self, kind: str, **params: str) -> None:
        self.client.enotify_all(kind, **params)

    def last(self, kind: str) -> dict:
        return [params for k, params in self.heard if k == kind][-1]

    def path(self, kind: str) -> Path:
        """Of the file that the last message of a kind names."""
        return Path(unquote(urlsplit(self.last(kind)["url"]).path))


@pytest.fixture
def other(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'hub').as_uri()}")
    monkeypatch.setattr(samp.conf, "use_internet", False)
    hub = samp.SAMPHubServer(addr="127.0.0.1", web_profile=False)
    hub.start()
    client = Other()
    yield client
    client.client.disconnect()
    hub.stop()


@pytest.fixture
def spectra(tmp_path) -> Path:
    return write.write_rss(
        tmp_path / "frame-r0-00000001.fits", expose_rss("small", seed=3).frame, write.header("r0", 1)
    )


def test_both_ways_between_the_window_and_another_program(qtbot, other, spectra, tmp_path):
    with window(qtbot, str(spectra), "--samp") as shell:
        session = lambda: shell.store.session  # noqa: E731
        qtbot.waitUntil(lambda: shell.ways.samp is not None and shell.ways.samp.link.connected, timeout=20_000)
        link = shell.ways.samp.link
        listening = link._client.client.client.socket
        assert listening.getsockname()[0] == "127.0.0.1"
        assert listening.family == socket.AF_INET

        # out: table, selection, spectrum, image
        shell.controller.handle(want.TalkSamp("table"))
        qtbot.waitUntil(lambda: any(k == "table.load.votable" for k, _ in other.heard), timeout=20_000)
        out = Table.read(other.path("table.load.votable"))
        assert len(out) == session().slots[0].image.shape[0]
        places = [c for c in out.colnames if "meta.main" in out[c].meta.get("ucd", "")]  # topcat asks for them
        assert len(places) == 2 and all(str(out[c].unit) == "deg" for c in places)
        shell.controller.handle(want.SelectFiber(4))
        qtbot.waitUntil(lambda: any(k == "table.highlight.row" for k, _ in other.heard), timeout=20_000)
        assert other.last("table.highlight.row")["row"] == "4"
        fibers = session().slots[0].image.fibermap
        qtbot.waitUntil(lambda: any(k == "coord.pointAt.sky" for k, _ in other.heard), timeout=20_000)
        place = other.last("coord.pointAt.sky")
        assert (float(place["ra"]), float(place["dec"])) == pytest.approx((fibers.ra[4], fibers.dec[4]), abs=1e-6)
        settle(qtbot, shell)
        shell.controller.handle(want.TalkSamp("spectrum"))
        shell.controller.handle(want.TalkSamp("image"))
        qtbot.waitUntil(lambda: {"image.load.fits", "spectrum.load.ssa-generic"} <= {k for k, _ in other.heard},
                        timeout=20_000)  # fmt: skip
        row = session().slots[0].image.pixels.native()[4]
        np.testing.assert_allclose(fits.getdata(other.path("spectrum.load.ssa-generic"))["flux"], row, rtol=1e-6)
        np.testing.assert_allclose(fits.getdata(other.path("image.load.fits"))[4], row, rtol=1e-6)
        assert other.path("image.load.fits").parent.stat().st_mode & 0o777 == 0o700

        # in: a row, rows, a place, an image
        count = len(other.heard)
        name = other.last("table.load.votable")["table-id"]
        began = time.monotonic()
        other.tell("table.highlight.row", **{"table-id": name, "row": "7"})
        qtbot.waitUntil(lambda: session().inspection is not None and session().inspection.fiber == 7, timeout=20_000)
        assert time.monotonic() - began < MOST_SECONDS * BUSY
        other.client.enotify_all("table.select.rowList", **{"table-id": name, "row-list": ["2", "5"]})
        qtbot.waitUntil(lambda: session().selection.fibers == (2, 5), timeout=20_000)
        other.tell("table.highlight.row", url=spectra.as_uri(), row="3")
        qtbot.waitUntil(lambda: session().selection.fiber == 3, timeout=20_000)
        other.tell("coord.pointAt.sky", ra=str(fibers.ra[9]), dec=str(fibers.dec[9]))
        qtbot.waitUntil(lambda: session().selection.fiber == 9, timeout=20_000)
        assert len(other.heard) == count, "what was heard is not told again"
        catalog = tmp_path / "t1.vot"
        Table({"fiber": np.asarray(fibers.table["FIBER"])[::-1], "Z": np.arange(len(out)) * 0.1}).write(
            catalog, format="votable"
        )
        other.tell("table.load.votable", url=catalog.as_uri(), name="its own", **{"table-id": "topcat-1"})
        qtbot.waitUntil(lambda: len(session().tables) == 1, timeout=20_000)
        assert session().tables[0].title.endswith("its own")
        last = len(out) - 1
        other.tell("table.highlight.row", row="2", **{"table-id": "topcat-1"})
        qtbot.waitUntil(lambda: session().selection.fiber == last - 2, timeout=20_000)
        assert len(other.heard) == count
        shell.controller.handle(want.SelectFiber(1))
        qtbot.waitUntil(lambda: len(other.heard) > count + 2, timeout=20_000)
        assert {"table-id": "topcat-1", "row": str(last - 1)} in [p for k, p in other.heard if k.endswith("row")]

        fits.writeto(tmp_path / "other.fits", np.ones((5, 6)))
        other.tell("image.load.fits", url=(tmp_path / "other.fits").as_uri())
        qtbot.waitUntil(lambda: len(session().slots) == 2, timeout=20_000)
        assert session().slot().title == "other"
        other.tell("image.load.fits", url="file:///no/such.fits")
        qtbot.waitUntil(lambda: any("no such file" in m.text for m in session().messages), timeout=20_000)


SOMEBODY_ELSE = """
import encodings.idna, os, xmlrpc.client  # before the folders of this Python are closed
os.setgid({nobody}); os.setuid({nobody})
for path in {files!r}:
    try:
        open(path, "rb").read(1)
        print("READ", path)
    except PermissionError:
        print("refused")
window = xmlrpc.client.ServerProxy("http://127.0.0.1:{port}", allow_none=True)
message = {{"samp.mtype": "image.load.fits", "samp.params": {{"url": {url!r}}}}}
for key in ("", "0", "secret", "cli#1", "c1", {key!r}[:-1]):
    for call in (
        lambda: window.samp.client.receiveNotification(key, "hub", message),
        lambda: window.samp.client.receiveCall(key, "hub", "1", message),
        lambda: window.samp.client.receiveResponse(key, "hub", "1", {{}}),
        lambda: window.system.listMethods(),
    ):
        try:
            call()
            print("answered")
        except xmlrpc.client.Fault as problem:
            print("fault")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_else_neither_reads_nor_commands(qtbot, other, spectra, tmp_path):
    """From another uid: files that went out cannot be read, and nothing that lacks the key of the hub is done."""
    for folder in (tmp_path, *tmp_path.parents):  # whoever may reach the folder of pytest
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    fits.writeto(tmp_path / "evil.fits", np.ones((5, 6)))
    with window(qtbot, str(spectra), "--samp") as shell:
        qtbot.waitUntil(lambda: shell.ways.samp is not None and shell.ways.samp.link.connected, timeout=20_000)
        shell.controller.handle(want.TalkSamp("image"))
        qtbot.waitUntil(lambda: any(k == "image.load.fits" for k, _ in other.heard), timeout=20_000)
        client = shell.ways.samp.link._client
        said = len(shell.store.session.messages)
        code = SOMEBODY_ELSE.format(
            nobody=65534, port=client.client.client.socket.getsockname()[1], url=(tmp_path / "evil.fits").as_uri(),
            files=[str(other.path("image.load.fits"))], key=client.get_private_key(),
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        qtbot.waitUntil(lambda: process.poll() is not None, timeout=60_000)
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert "READ" not in out and out.startswith("refused")
        qtbot.wait(300)
        settle(qtbot, shell)
        assert [slot.title for slot in shell.store.session.slots] == ["frame-r0-00000001"]
        assert len(shell.store.session.messages) == said
        other.tell("image.load.fits", url=(tmp_path / "evil.fits").as_uri())  # with the key of the hub it is done
        qtbot.waitUntil(lambda: len(shell.store.session.slots) == 2, timeout=20_000)


def listening() -> set[str]:
    """Where this process listens: addresses of TCP over IPv4 and IPv6, and files."""
    own = {os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path)}
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path("/proc/net", name).read_text().splitlines()[1:]:
            _, local, _, state, *rest = row.split()
            if f"socket:[{rest[5]}]" in own and (state == LISTENS or name.startswith("udp")):
                found.add(f"{name} {local}")
    for row in Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = row.split()
        if f"socket:[{words[6]}]" in own and int(words[3], 16) & ACCEPTS:
            found.add(words[7] if len(words) > 7 else "unnamed")
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="where a process listens is read in /proc")
def test_a_window_listens_at_its_door_and_to_its_hub_alone(qtbot, other, spectra, tmp_path, monkeypatch):
    """Both have a test from another uid; whatever is added has to be named here, and to have one, too."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    before = listening()
    with window(qtbot, str(spectra), "--samp") as shell:
        qtbot.waitUntil(lambda: shell.ways.samp is not None and shell.ways.samp.link.connected, timeout=20_000)
        if find_spec("qtconsole") is not None:
            shell.controller.handle(want.OpenConsole())
        settle(qtbot, shell)
        port = shell.ways.samp.link._client.client.client.socket.getsockname()[1]
        assert listening() - before == {str(shell.ways.door.path), f"tcp {HOME}:{port:04X}"}
        assert shell.ways.door.path.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_hub_the_window_waits_for_one(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'hub').as_uri()}")
    with window(qtbot, "--samp") as shell:
        said = lambda: [m.text for m in shell.store.session.messages]  # noqa: E731
        qtbot.waitUntil(lambda: any("no SAMP hub is running" in text for text in said()), timeout=20_000)
        shell.controller.handle(want.TalkSamp("image"))
        assert "open a file first" in said()[-1]
        shell.controller.handle(want.TalkSamp("leave"))
        assert shell.ways.samp is None
