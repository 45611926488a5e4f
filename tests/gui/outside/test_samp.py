"""SAMP against a real hub and a second client: what comes in is shown, what is selected goes out."""

from __future__ import annotations

import socket
import time
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
        assert len(Table.read(other.path("table.load.votable"))) == session().slots[0].image.shape[0]
        shell.controller.handle(want.SelectFiber(4))
        qtbot.waitUntil(lambda: any(k == "table.highlight.row" for k, _ in other.heard), timeout=20_000)
        assert other.last("table.highlight.row")["row"] == "4"
        fibers = session().slots[0].image.fibermap
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
        fits.writeto(tmp_path / "other.fits", np.ones((5, 6)))
        other.tell("image.load.fits", url=(tmp_path / "other.fits").as_uri())
        qtbot.waitUntil(lambda: len(session().slots) == 2, timeout=20_000)
        assert session().slot().title == "other"
        other.tell("image.load.fits", url="file:///no/such.fits")
        qtbot.waitUntil(lambda: any("no such file" in m.text for m in session().messages), timeout=20_000)


def test_without_a_hub_the_window_waits_for_one(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'hub').as_uri()}")
    with window(qtbot, "--samp") as shell:
        said = lambda: [m.text for m in shell.store.session.messages]  # noqa: E731
        qtbot.waitUntil(lambda: any("no SAMP hub is running" in text for text in said()), timeout=20_000)
        shell.controller.handle(want.TalkSamp("image"))
        assert "open a file first" in said()[-1]
        shell.controller.handle(want.TalkSamp("leave"))
        assert shell.ways.samp is None
