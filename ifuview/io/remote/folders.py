"""Folders that lie elsewhere: their files are fetched (and kept) one by one and stand together in a folder of this run.

What is in a folder is told by the page of links that web servers make of it, by find over ssh, or by fsspec.
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
from html import unescape
from urllib.parse import quote, unquote, urljoin, urlsplit

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.io.objects.folder import new_folder
from ifuview.io.objects.missing import needed
from ifuview.io.remote.fetch import fetched, is_elsewhere
from ifuview.io.remote.sources import CutOff, HttpSource, SshSource

SUFFIXES = tuple(
    f".{s}" for s in ["fits", "fit", "gz", "fz", "bz2", "tar", "csv", "ecsv", "json", "h5", "hdf5", "bin", "img", "dat"]
)
SSH = ("ssh", "sftp", "scp")
LINK = re.compile(rb"""<a\s[^>]*?href\s*=\s*["']([^"'?#]+)["']""", re.IGNORECASE)
MOST_FILES, MOST_DEPTH, MOST_PAGE = 2000, 6, 4 << 20
TODO = "name the folder of one exposure or tile, ending in /"


def is_folder_elsewhere(path: str) -> bool:
    """Whether a path is the address of a folder: it ends in a slash."""
    return path.endswith("/") and is_elsewhere(path) and not path.startswith("file:")


def fetched_folder(url: str, ctx: JobContext = SILENT) -> str:
    """A folder of this disk with the files of a folder at an address, as far as the program may know them.

    Raises
    ------
    UsageError, MissingDataError
        It is not there, has none of these files or too many; or what `fetched` raises.
    """
    names = sorted(name for name in _listed(url, ctx) if name.lower().endswith(SUFFIXES))
    if not names:
        raise MissingDataError("no files that can be shown are in this folder", url, TODO)
    if len(names) > MOST_FILES:
        raise UsageError(f"has {len(names)} files, more than {MOST_FILES}", url, TODO)
    top = os.path.join(new_folder(), os.path.basename(unquote(urlsplit(url).path).rstrip("/")) or "folder")
    for n, name in enumerate(names):
        kept = fetched(_below(url, name), ctx.part(0.1 + 0.9 * n / len(names), 0.1 + 0.9 * (n + 1) / len(names)))
        place = os.path.join(top, *name.split("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(kept, place)
    return top


def brought(spec: str, ctx: JobContext = SILENT) -> str:
    """What `spec` names on this disk, fetched if it is an address (a folder, where its name has no suffix).

    Raises
    ------
    UsageError, MissingDataError
        What `fetched` and `fetched_folder` raise.
    """
    if "://" not in spec or not is_elsewhere(spec):
        return spec
    if is_folder_elsewhere(spec):
        return fetched_folder(spec, ctx)
    address, bracket, part = spec.partition("[")
    if not posixpath.splitext(urlsplit(address).path)[1]:
        return fetched_folder(f"{address}/", ctx)
    return f"{fetched(address, ctx)}{bracket}{part}"


def _below(url: str, name: str) -> str:
    """The address of a file of a folder."""
    return urljoin(url, quote(name)) if url.startswith("http") else url + name


def _safe(name: str) -> bool:
    """Whether a relative name stays below its folder."""
    parts = name.split("/")
    return bool(name) and not name.startswith("/") and not {"..", ".", ""} & set(parts) and "\0" not in name


def _listed(url: str, ctx: JobContext) -> list[str]:
    """Names below a folder."""
    scheme = urlsplit(url).scheme
    found = _by_pages(url, ctx) if scheme in ("http", "https") else _by_ssh(url) if scheme in SSH else _by_fsspec(url)
    return [name for name in found if _safe(name)]


def _by_pages(url: str, ctx: JobContext) -> list[str]:
    """Follow the links of index pages, downwards only."""
    out: list[str] = []
    todo = [("", 0)]
    while todo:
        where, depth = todo.pop()
        ctx.checkpoint(0.05, f"Looking through {posixpath.basename(where.rstrip('/')) or url}")
        for link in _links(urljoin(url, quote(where))):
            name = where + link
            if link.endswith("/") and depth < MOST_DEPTH:
                todo.append((name, depth + 1))
            elif not link.endswith("/"):
                out.append(name)
        if len(out) > MOST_FILES:
            break
    return out


def _links(url: str) -> list[str]:
    """What the page of a folder links to directly below itself."""
    try:
        with HttpSource(url).open({}) as answer:
            page = answer.read(MOST_PAGE)
    except (CutOff, OSError) as problem:
        raise MissingDataError(f"nobody answers there ({problem})", url, "try again later") from problem
    links = []
    for raw in LINK.findall(page):
        target = urljoin(url, unescape(raw.decode("utf-8", "replace")))
        name = unquote(target.removeprefix(url)) if target.startswith(url) else ""
        if name and "/" not in name.rstrip("/"):
            links.append(name)
    return list(dict.fromkeys(links))


def _by_ssh(url: str) -> list[str]:
    """All files below a folder, by find over there."""
    try:
        source = SshSource(url)
        told = source.say(f"find -L {shlex.quote(source.path)} -maxdepth {MOST_DEPTH} -type f -printf '%P\\n'")
    except CutOff as problem:
        raise MissingDataError(f"nobody answers there ({problem})", url, "try again later") from problem
    return told.splitlines()


def _by_fsspec(url: str) -> list[str]:
    """All files below a folder, as the package of the protocol lists them."""
    fsspec = needed("fsspec", "remote")
    try:
        files, path = fsspec.core.url_to_fs(url)
        base = path.rstrip("/") + "/"
        return [name.removeprefix(base) for name in files.find(path, maxdepth=MOST_DEPTH) if name.startswith(base)]
    except Exception as problem:  # whatever the package of the protocol raises
        raise MissingDataError(f"cannot be reached ({problem})", url) from problem
