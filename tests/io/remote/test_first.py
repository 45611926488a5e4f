"""The first image of a file of a server is shown while the rest is still being fetched."""

from __future__ import annotations

import gzip
import io
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app.frames.opening.reading import open_images
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, JobCancelled
from ifuview.io.fits.head import first_image_end
from tests.gui.windows import settle, window

MIB = 1 << 20


class Slow(ThreadingHTTPServer):
    """A server of one file, so many bytes a second, with ranges; `held` stops it at a byte until it is set."""

    daemon_threads = True

    def __init__(self, body: bytes, rate: float = float("inf"), stop: int | None = None) -> None:
        self.body, self.rate, self.stop, self.held = body, rate, stop, threading.Event()
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/cube.fits"

    def handle_error(self, *_: object) -> None:
        """A reader that has seen enough is no error."""


class Answer(BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        low, _, high = self.headers["Range"].removeprefix("bytes=").partition("-")
        start, end = int(low), int(high) + 1 if high else len(self.server.body)
        self.send_response(206)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(self.server.body)}")
        self.send_header("ETag", '"a"')
        self.end_headers()
        began, piece = time.monotonic(), 1 << 17
        for at in range(start, end, piece):
            if self.server.stop is not None and end - start > 1 and at > self.server.stop:
                self.server.held.wait(60)
            self.wfile.write(self.server.body[at : min(at + piece, end)])
            time.sleep(max(began + (at - start) / self.server.rate - time.monotonic(), 0.0))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def product(ny: int, nx: int, more: int = 2) -> tuple[bytes, np.ndarray]:
    """An image with its variance and other images behind it, as a file."""
    data = np.random.default_rng(3).normal(100, 5, (ny, nx)).astype(np.float32)
    behind = [fits.ImageHDU(data * 0 + 25, name="VARIANCE"), fits.ImageHDU(data, name="OTHER")]
    hdus = [fits.PrimaryHDU(data), *behind[:more]]
    out = io.BytesIO()
    fits.HDUList(hdus).writeto(out)
    return out.getvalue(), data


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))


def test_where_the_first_image_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.arange(999.0))])
    image = fits.ImageHDU(np.ones((70, 50), np.float32))
    fits.HDUList([fits.PrimaryHDU(), table, image, image]).writeto(path)
    with fits.open(path) as found:
        end = found[2].fileinfo()["datLoc"] + found[2].fileinfo()["datSpan"]
        begin = found[2].fileinfo()["datLoc"]
    assert first_image_end(path) == end
    whole = path.read_bytes()
    for cut, told in ((100, None), (begin - 1, None), (begin, end), (end - 5, end)):
        path.write_bytes(whole[:cut])
        assert first_image_end(path) == told
    path.write_bytes(b"\x89HDF" + bytes(99))
    assert first_image_end(path) is None
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.ones((70, 50), np.int16))]).writeto(path, overwrite=True)
    assert first_image_end(path) == path.stat().st_size


def members(body: bytes) -> bytes:
    """A gzip file of several members, as parallel programs write it."""
    third = len(body) // 3
    return b"".join(gzip.compress(body[at : at + third], 1) for at in range(0, len(body), third))


@pytest.mark.parametrize("packed", [bytes, gzip.compress, members])
def test_the_first_image_is_told_of_and_the_whole_follows(packed: Callable[[bytes], bytes]) -> None:
    body, data = product(1500, 1600)
    server = Slow(packed(body))
    told: list[object] = []
    found = open_images(server.url, ctx=JobContext(told=told.append))
    server.shutdown()
    server.server_close()
    ((first,),) = told  # type: ignore[misc]
    np.testing.assert_array_equal(first.image.pixels.native(), data)
    assert first.dataset.spec == server.url and first.image.ivar is None
    np.testing.assert_array_equal(found[0].image.pixels.native(), data)
    assert found[0].image.ivar is not None and found[0].dataset.path != first.dataset.path


@pytest.mark.parametrize("damage", [b"\0" * 5000, b""])
def test_a_damaged_gzip_has_its_sentence_whatever_was_shown(damage: bytes) -> None:
    packed = gzip.compress(product(1500, 1600)[0], 1)
    server = Slow(packed[:4000] + damage + packed[9000:])
    with pytest.raises(IfuviewError, match="compressed data are damaged"):
        open_images(server.url, ctx=JobContext(told=lambda _: None))
    server.shutdown()
    server.server_close()


def test_a_file_that_is_stopped_leaves_what_is_shown() -> None:
    body, data = product(500, 800)
    server = Slow(body, stop=len(body) // 2)

    def told(value: object) -> None:
        got.append(value)
        ctx.cancel()
        server.held.set()

    got: list[object] = []
    ctx = JobContext(told=told)
    with pytest.raises(JobCancelled):
        open_images(server.url, ctx=ctx)
    server.shutdown()
    server.server_close()
    np.testing.assert_array_equal(got[0][0].image.pixels.native(), data)  # type: ignore[index]


def test_the_window_shows_it_before_the_rest_is_there(qtbot) -> None:
    from ifuview.app import intents as want

    body, data = product(400, 600)
    server = Slow(body, stop=len(body) // 2)
    with window(qtbot) as shell:
        session = lambda: shell.store.session  # noqa: E731
        shell.controller.handle(want.OpenFile(server.url))
        qtbot.waitUntil(lambda: len(session().slots) == 1, timeout=20_000)
        assert shell.controller.busy and session().slots[0].image.ivar is None
        np.testing.assert_array_equal(session().slots[0].image.pixels.native(), data)
        shell.controller.handle(want.PickPoint(session().slots[0].key, 3.0, 4.0))
        server.held.set()
        settle(qtbot, shell)
        (slot,) = session().slots
        assert slot.image.ivar is not None and session().selection.x == 3
        assert [name for name in session().recent if name == server.url] == [server.url]
    server.shutdown()
    server.server_close()
