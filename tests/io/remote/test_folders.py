"""Folders of a server, of a host and of a bucket: their files stand together here, below and nowhere else."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

import numpy as np
import pytest

from ifuview import io as own_io
from ifuview.app import intents as want
from ifuview.app.outside.scripts import HeadlessSession
from ifuview.app.session import Session
from ifuview.commands.run import command
from ifuview.errors import MissingDataError, UsageError
from ifuview.io.remote import fetch, folders
from ifuview.io.remote.folders import brought, fetched_folder, is_folder_elsewhere
from tests.app.night.production import write_production


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_production(tmp_path_factory.mktemp("there"))
    (root / "exposures" / "note.txt").write_text("not to be fetched")
    (root / "exposures" / "odd & name.json").write_text("{}")
    return root


class Calm(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A reader that has seen enough is no error."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(production: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    server = Calm(("127.0.0.1", 0), partial(Quiet, directory=str(production)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def below(folder: str | Path) -> dict[str, bytes]:
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix != ".txt"}


def test_a_night_on_a_server_is_opened_as_one_here(served: str, production: Path) -> None:
    url = served + "exposures/20261121/"
    assert is_folder_elsewhere(url)
    here = fetched_folder(url)
    assert below(here) == below(production / "exposures" / "20261121")
    viewer = HeadlessSession(Session(headless=True))
    session = viewer.ask(want.OpenFile(url))
    assert session.night is not None
    assert [one.expid for one in session.night.index.exposures] == [2, 3, 4]
    assert session.recent[0] == url
    assert viewer.ask(want.ShowProduct(2, "r0", "sframe")).slots[0].title == "sframe-r0-00000002"


@pytest.mark.parametrize("end", ["/", ""])
def test_a_command_fetches_its_inputs(served: str, tmp_path: Path, capsys, end: str) -> None:
    out = tmp_path / "out"
    code = command("triage", [f"{served}exposures/20261121/00000002{end}", "-o", str(out), "--json", "-"])
    assert code in (0, 3)
    assert {one["expid"] for one in json.loads(capsys.readouterr().out)["judged"]} == {2}
    assert (out / "triage.json").is_file()
    frame = brought(f"{served}exposures/20261121/00000002/frame-r0-00000002.fits[IVAR]")
    assert own_io.open_dataset(frame).images[0].name == "IVAR"
    assert brought(str(out)) == str(out)


def test_names_with_signs_are_fetched_and_texts_are_not(served: str) -> None:
    names = below(fetched_folder(served + "exposures/"))
    assert "odd & name.json" in names
    assert not any(name.endswith(".txt") for name in names)


def test_what_is_not_there_empty_or_too_much_is_said(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingDataError, match="no such file"):
        fetched_folder(served + "nothing/")
    monkeypatch.setattr(folders, "MOST_FILES", 3)
    with pytest.raises(UsageError, match="more than 3"):
        fetched_folder(served + "exposures/")
    monkeypatch.setattr(folders, "SUFFIXES", (".none",))
    with pytest.raises(MissingDataError, match="no files that can be shown"):
        fetched_folder(served + "exposures/")


PAGE = b"""<a href="../up.fits">up</a> <a href='/etc/passwd.fits'>x</a> <a href="http://other/x.fits">y</a>
<a href="%2e%2e/%2e%2e/evil.fits">z</a> <a href="a%2F..%2Fb.fits">w</a> <a href="good.fits?x=1">q</a>
<a href="good.fits">g</a>"""


def test_links_that_lead_elsewhere_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE if self.path == "/f/" else b"x"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    server = Calm(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        here = fetched_folder(f"http://127.0.0.1:{server.server_address[1]}/f/")
    finally:
        server.shutdown()
        server.server_close()
    assert list(below(here)) == ["good.fits"]


def test_a_folder_over_ssh(production: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program called ssh that runs the command here."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift 2\nexec sh -c "$*"\n')
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    place = production / "exposures" / "20261121" / "00000002"
    assert below(fetched_folder(f"ssh://me@host{place}/")) == below(place)


def test_a_folder_of_any_other_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path))
    for name in ("a.fits", "deep/b.fits", "deep/c.txt"):
        fsspec.filesystem("memory").pipe_file(f"/night/{name}", name.encode())
    assert below(fetched_folder("memory://night/")) == {"a.fits": b"a.fits", "deep/b.fits": b"deep/b.fits"}


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as a reader asks for: one bucket, listed, sized and read in ranges."""

    objects: ClassVar[dict[str, bytes]] = {}

    def do_HEAD(self) -> None:
        self._object(body=False)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.strip("/") == "bucket":
            self._list(parse_qs(parts.query))
        else:
            self._object(body=True)

    def _object(self, body: bool) -> None:
        data = self.objects.get(unquote(urlsplit(self.path).path).removeprefix("/bucket/"))
        if data is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, end, asked = 0, len(data), self.headers.get("Range")
        if asked:
            low, _, high = asked.removeprefix("bytes=").partition("-")
            start, end = int(low), min(int(high) + 1, end) if high else end
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("ETag", '"e1"')
        self.send_header("Last-Modified", "Sun, 01 Jan 2023 00:00:00 GMT")
        self.end_headers()
        if body:
            self.wfile.write(data[start:end])

    def _list(self, query: dict[str, list[str]]) -> None:
        prefix, cut = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        names = [name for name in self.objects if name.startswith(prefix)]
        direct = [n for n in names if not cut or cut not in n[len(prefix) :]]
        inner = {prefix + n[len(prefix) :].split("/")[0] + "/" for n in names if n not in direct}
        rows = "".join(f"<Contents><Key>{n}</Key><Size>{len(self.objects[n])}</Size><ETag>&quot;e1&quot;</ETag>"
                       "<LastModified>2023-01-01T00:00:00.000Z</LastModified></Contents>" for n in direct)  # fmt: skip
        rows += "".join(f"<CommonPrefixes><Prefix>{n}</Prefix></CommonPrefixes>" for n in sorted(inner))
        body = f'<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{rows}' \
               "</ListBucketResult>"  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_files_and_folders_of_a_bucket(production: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs")
    place = production / "exposures" / "20261121" / "00000002"
    Bucket.objects = {f"night/{quote(name)}": data for name, data in below(place).items()}
    server = Calm(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    for key, value in {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}", "AWS_ACCESS_KEY_ID": "a",
                       "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    try:
        found = own_io.open_dataset("s3://bucket/night/sframe-r0-00000002.fits").images[0]
        own = own_io.open_dataset(str(place / "sframe-r0-00000002.fits")).images[0]
        np.testing.assert_array_equal(found.pixels.native(), own.pixels.native())
        assert below(fetched_folder("s3://bucket/night/")) == below(place)
        with pytest.raises(MissingDataError, match="no such file"):
            own_io.open_dataset("s3://bucket/night/none.fits")
    finally:
        server.shutdown()
        server.server_close()
