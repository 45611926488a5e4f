"""Files of a server: fetched once, gone on with after a cut, kept within a limit, refused with a sentence."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview import io as own_io
from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled, MissingDataError, UsageError
from ifuview.io.remote import fetch, sources

DATA = np.arange(600_000, dtype=np.float32).reshape(600, 1000)  # 2.4 MB: several pieces


class Server:
    """A server of one file that can cut connections, forget ranges, or say nothing."""

    def __init__(self) -> None:
        buffer = io.BytesIO()
        fits.PrimaryHDU(DATA).writeto(buffer)
        self.body, self.mark, self.ranged = buffer.getvalue(), '"a"', True
        self.cuts: list[int] = []  # after so many bytes the next connections end
        self.sent, self.asked = 0, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.headers.get("Range", ""))
                if self.path != "/image.fits":
                    self.send_error({"/secret.fits": 403}.get(self.path, 404))
                    return
                start, end = 0, len(server.body)
                ranged = server.ranged and (asked := self.headers.get("Range")) is not None
                if ranged:
                    low, _, high = asked.removeprefix("bytes=").partition("-")
                    start, end = int(low), int(high) + 1 if high else end
                self.send_response(206 if ranged else 200)
                self.send_header("Content-Length", str(end - start))
                if ranged:
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(server.body)}")
                self.send_header("ETag", server.mark)
                self.end_headers()
                if end - start > 1 and server.cuts:
                    end = min(end, start + server.cuts.pop(0))
                    self.close_connection = True
                server.sent += end - start  # before the reader has it, who may look at once
                with suppress(OSError):
                    self.wfile.write(server.body[start:end])

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    found = Server()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_a_file_is_fetched_once_and_again_when_it_changes(server):
    dataset = own_io.open_dataset(f"{server.url}/image.fits[0]")
    np.testing.assert_array_equal(dataset.images[0].pixels.native(), DATA)
    assert dataset.spec == f"{server.url}/image.fits[0]"
    sent = server.sent
    assert own_io.open_dataset(f"{server.url}/image.fits").path == dataset.path
    assert server.sent - sent <= 2, "only asked for its mark"
    server.mark = '"b"'
    own_io.open_dataset(f"{server.url}/image.fits")
    assert server.sent >= sent + len(server.body)
    assert fetch.folder().stat().st_mode & 0o077 == 0


def test_after_a_cut_it_goes_on_from_there(server):
    server.cuts = [700_000, 900_000, 300_000]
    path = fetch.fetched(f"{server.url}/image.fits")
    assert Path(path).read_bytes() == server.body
    assert server.sent <= len(server.body) + 10, "no byte came twice"


def test_without_ranges_it_begins_again(server):
    server.ranged = False
    server.cuts = [700_000]
    assert Path(fetch.fetched(f"{server.url}/image.fits")).read_bytes() == server.body


def test_a_connection_that_is_always_cut_is_given_up_with_a_sentence(server):
    server.cuts = [0] * 20
    with pytest.raises(MissingDataError, match="goes on where it was cut off"):
        fetch.fetched(f"{server.url}/image.fits")
    server.cuts = []
    assert Path(fetch.fetched(f"{server.url}/image.fits")).read_bytes() == server.body


def test_what_the_user_stops_is_gone_on_with_the_next_time(server):
    heard = []

    def report(fraction: float, text: str) -> None:
        heard.append((fraction, text))
        if fraction > 0.4:
            ctx.cancel()

    ctx = JobContext(report)
    with pytest.raises(JobCancelled):
        fetch.fetched(f"{server.url}/image.fits", ctx)
    assert "of 2 MB" in heard[-1][1]
    server.asked.clear()
    assert Path(fetch.fetched(f"{server.url}/image.fits")).read_bytes() == server.body
    assert int(server.asked[-1].removeprefix("bytes=").rstrip("-")) > 0.3 * len(server.body)


@pytest.mark.parametrize(("name", "words"), [("none.fits", "no such file"), ("secret.fits", "may not be read")])
def test_what_is_not_there_is_said(server, name, words):
    with pytest.raises(MissingDataError, match=words):
        own_io.open_dataset(f"{server.url}/{name}")


def test_nobody_answers(monkeypatch, tmp_path):
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path))
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    with pytest.raises(MissingDataError, match="nobody answers"):
        fetch.fetched("http://127.0.0.1:9/image.fits")


def test_a_server_that_says_nothing_more_is_timed_out(server, monkeypatch):
    monkeypatch.setattr(sources, "TIMEOUT", 0.2)
    monkeypatch.setattr(fetch, "TRIES", 1)
    silent = threading.Event()
    import socketserver

    class Silent(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            silent.wait(3)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as other:
        other.daemon_threads = True
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(MissingDataError, match="timed out"):
            fetch.fetched(f"http://127.0.0.1:{other.server_address[1]}/image.fits")
        silent.set()
        other.shutdown()


def test_passwords_and_unknown_protocols_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="password") as caught:
        fetch.fetched("https://me:hunter2@example.org/a.fits")
    assert "hunter2" not in str(caught.value)
    with pytest.raises((UsageError, MissingDataError), match="protocol"):
        fetch.fetched("nonsense://example.org/a.fits")
    with pytest.raises(UsageError, match="no host"):
        fetch.fetched("ssh://-oProxyCommand=x/a.fits")


def test_old_files_give_way(server, monkeypatch):
    first = fetch.fetched(f"{server.url}/image.fits")
    monkeypatch.setattr(fetch, "MOST_KEPT", int(1.5 * len(server.body)))
    second = fetch.fetched(f"{server.url.replace('127.0.0.1', 'localhost')}/image.fits")
    assert os.path.exists(second) and not os.path.exists(first)
    monkeypatch.setattr(fetch, "LEAST_FREE", 1 << 60)
    server.mark = '"c"'
    with pytest.raises(UsageError, match="the disk has"):
        fetch.fetched(f"{server.url}/image.fits")


def test_a_file_over_ssh(tmp_path, monkeypatch):
    """By a program `ssh` that runs on this machine what it is to run over there."""
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text('#!/bin/sh\necho "$@" >> "$SSH_LOG"\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_LOG", str(tmp_path / "log"))
    place = tmp_path / "it's here; $(touch gone)"
    place.mkdir()
    fits.writeto(place / "a.fits", DATA)
    dataset = own_io.open_dataset(f"ssh://me@host:2222{place}/a.fits")
    np.testing.assert_array_equal(dataset.images[0].pixels.native(), DATA)
    assert "-o BatchMode=yes" in (tmp_path / "log").read_text()
    assert "-p 2222 -- me@host" in (tmp_path / "log").read_text()
    assert not list(tmp_path.rglob("gone"))
    with pytest.raises(MissingDataError, match="no such file"):
        own_io.open_dataset(f"ssh://host{place}/b.fits")


def test_any_other_protocol_by_fsspec(tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path))
    buffer = io.BytesIO()
    fits.PrimaryHDU(DATA).writeto(buffer)
    fsspec.filesystem("memory").pipe_file("/image.fits", buffer.getvalue())
    np.testing.assert_array_equal(own_io.open_dataset("memory://image.fits").images[0].pixels.native(), DATA)


def test_file_addresses_and_what_comes_in(tmp_path):
    fits.writeto(tmp_path / "a b.fits", DATA)
    assert own_io.open_dataset((tmp_path / "a b.fits").as_uri()).path == str(tmp_path / "a b.fits")
    code = "from ifuview import io; print(io.open_dataset('-').images[0].shape)"
    body = (tmp_path / "a b.fits").read_bytes()
    done = subprocess.run([sys.executable, "-c", code], input=body, capture_output=True, check=False)
    assert done.stdout.split() == [b"(600,", b"1000)"], done.stderr
    done = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=False)
    assert b"nothing came in" in done.stderr
