"""Where bytes of a remote file come from: a size, a mark that changes with the content, and ranges.

HTTP by the standard library, SSH by the program ssh (its keys, agent, known hosts and configuration are used, none of
its own), all else by fsspec. Nobody is asked for a password, and none may stand in an address.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ifuview.errors import MissingDataError, UsageError
from ifuview.io.objects.missing import needed

TIMEOUT = 20.0  # s without a byte
PIECE = 1 << 18  # bytes between two looks whether the user has had enough
HOST = re.compile(r"^[A-Za-z0-9._~-]+(@[A-Za-z0-9._-]+)?$")
NOT_THERE = (404, 410)
REFUSED = (401, 403)
EXTRAS = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs"}


class CutOff(Exception):
    """The connection ended before all was there, or nothing came for a while; another try may go on from there."""


class RemoteFile(Protocol):
    """A file somewhere else."""

    size: int | None  # bytes, None where it is not told
    mark: str  # another one when the content is another; "" where it is not told
    ranged: bool  # whether `pieces` can begin elsewhere than at 0

    def pieces(self, start: int) -> Iterator[bytes]:
        """The bytes from `start` to the end; CutOff where they end too early."""


def source_of(url: str) -> RemoteFile:
    """The source of an address.

    Raises
    ------
    UsageError
        It is no address, or holds a password.
    MissingDataError
        There is no such file, or it may not be read; or a package is not there.
    CutOff
        Nobody answers.
    """
    parts = urlsplit(url)
    if parts.password is not None:
        todo = "leave it out; keys and tokens are taken from where the protocol keeps them"
        raise UsageError("an address must not hold a password", url.replace(parts.password, "..."), todo)
    if parts.scheme in ("http", "https"):
        return HttpSource(url)
    if parts.scheme in ("ssh", "sftp", "scp"):
        return SshSource(url)
    return FsspecSource(url)


class HttpSource:
    """http:// and https://, with ranges where the server has them."""

    def __init__(self, url: str) -> None:
        self.url = url
        with self.open({"Range": "bytes=0-0"}) as answer:
            whole = answer.headers.get("Content-Range", "").rpartition("/")[2]
            self.ranged = answer.status == 206 and whole.isdigit()
            length = whole if self.ranged else answer.headers.get("Content-Length", "")
            self.size = int(length) if length.isdigit() else None
            self.mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""

    def pieces(self, start: int) -> Iterator[bytes]:
        """The bytes from `start` on."""
        done = start
        with self.open({"Range": f"bytes={start}-"} if self.ranged else {}) as answer:
            try:
                while part := answer.read(PIECE):
                    done += len(part)
                    yield part
            except OSError as problem:  # also a time-out
                raise CutOff(str(problem) or "cut off") from problem
        if self.size is not None and done < self.size:
            raise CutOff("the connection was cut")

    def open(self, headers: dict[str, str]) -> Any:
        """The answer of the server."""
        asked = urllib.request.Request(
            self.url, headers={"User-Agent": "ifuview", "Accept-Encoding": "identity", **headers}
        )
        try:
            return urllib.request.urlopen(asked, timeout=TIMEOUT)
        except HTTPError as problem:
            if problem.code in NOT_THERE:
                raise MissingDataError("there is no such file", self.url) from problem
            if problem.code in REFUSED:
                raise MissingDataError(
                    "may not be read", self.url, "log in with a tool of that server first"
                ) from problem
            raise CutOff(f"the server says {problem.code} {problem.reason}") from problem
        except (URLError, OSError) as problem:
            why = getattr(problem, "reason", problem)
            raise CutOff((isinstance(why, OSError) and why.strerror) or str(why)) from problem


class SshSource:
    """ssh://[user@]host[:port]/path, read by head and tail over there."""

    ranged = True

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        host = f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname or ""
        if not HOST.match(host) or host.startswith("-"):
            raise UsageError("names no host", url, "write ssh://user@host/path")
        self.url, self.path = url, parts.path
        port = ["-p", str(parts.port)] if parts.port else []
        options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={TIMEOUT:.0f}"]
        self._command = ["ssh", *options, *port, "--", host]
        told = self.say(f"stat -L -c '%s %Y' -- {shlex.quote(self.path)}").split()
        if len(told) != 2 or not told[0].isdigit():
            raise MissingDataError("there is no such file", url)
        self.size: int | None = int(told[0])
        self.mark = " ".join(told)

    def pieces(self, start: int) -> Iterator[bytes]:
        """The bytes from `start` on."""
        words = [*self._command, f"tail -c +{start + 1} -- {shlex.quote(self.path)}"]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        done = start
        try:
            while part := process.stdout.read(PIECE):
                done += len(part)
                yield part
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        if self.size is not None and done < self.size:
            raise CutOff("the connection was cut")

    def say(self, words: str) -> str:
        """What a command over there prints."""
        try:
            done = subprocess.run([*self._command, words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=3 * TIMEOUT, check=False)  # fmt: skip
        except FileNotFoundError as problem:
            raise MissingDataError("the program ssh is not here", self.url, "install it") from problem
        except subprocess.TimeoutExpired as problem:
            raise CutOff("the host does not answer") from problem
        if done.returncode == 255:  # of ssh itself
            why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise MissingDataError(f"ssh cannot log in there ({why})", self.url, "try it with ssh in a terminal")
        return done.stdout


class FsspecSource:
    """Whatever fsspec knows: s3://, gs://, ftp:// and more."""

    ranged = True

    def __init__(self, url: str) -> None:
        fsspec = needed("fsspec", "remote")
        scheme = urlsplit(url).scheme
        try:
            self._files, self._path = fsspec.core.url_to_fs(url)
            info = self._files.info(self._path)
        except ImportError as problem:
            raise MissingDataError(
                f"{scheme}:// needs {EXTRAS.get(scheme, 'a package')}", url, str(problem)
            ) from problem
        except ValueError as problem:
            raise UsageError(
                f"{scheme}:// is no protocol that is known", url, "use https://, ssh:// or s3://"
            ) from problem
        except FileNotFoundError as problem:
            raise MissingDataError("there is no such file", url) from problem
        except Exception as problem:  # whatever the package of the protocol raises
            raise MissingDataError(f"cannot be reached ({problem})", url) from problem
        size = info.get("size")
        self.size: int | None = int(size) if size is not None else None
        self.mark = str(info.get("ETag") or info.get("mtime") or info.get("LastModified") or "")

    def pieces(self, start: int) -> Iterator[bytes]:
        """The bytes from `start` on."""
        try:
            with self._files.open(self._path, "rb", block_size=1 << 22, cache_type="readahead") as file:
                file.seek(start)
                while part := file.read(PIECE):
                    yield part
        except Exception as problem:  # whatever the package of the protocol raises
            raise CutOff(str(problem)) from problem
