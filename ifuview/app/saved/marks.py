"""Whether a file is still the one that it was: size, time, and a quick look at its content."""

from __future__ import annotations

import os
import stat

from ifuview.app.saved.state import FileMark

BLOCK, BLOCKS = 16384, 16  # bytes and number of the parts that are looked at; smaller files are looked at as a whole


def marked(mark: FileMark) -> FileMark:
    """The mark of a file as it is now; without size and content where it is no regular file of this computer."""
    try:
        found = os.stat(mark.path)
    except (OSError, ValueError):
        return FileMark(mark.path)
    if not stat.S_ISREG(found.st_mode):
        return FileMark(mark.path)
    return FileMark(mark.path, found.st_size, found.st_mtime_ns, digest(mark.path, found.st_size))


def digest(path: str, size: int) -> str:
    """Of the size and of blocks spread evenly over a file; "" if it cannot be read."""
    import hashlib

    found = hashlib.blake2b(str(size).encode(), digest_size=16)
    last = max(size - BLOCK, 0)
    places = (
        range(0, max(size, 1), BLOCK) if size <= BLOCK * BLOCKS else (last * n // (BLOCKS - 1) for n in range(BLOCKS))
    )
    try:
        with open(path, "rb") as file:
            for place in places:
                file.seek(place)
                found.update(file.read(BLOCK))
    except OSError:
        return ""
    return found.hexdigest()


def what_became(mark: FileMark) -> str:
    """What happened to a file since, in a few words; "" if it is the same, or nothing was known of it."""
    if mark.size < 0:
        return ""
    now = marked(mark)
    if now.size < 0:
        return "is gone"
    if (now.size, now.mtime_ns) == (mark.size, mark.mtime_ns):
        return ""
    return "" if (now.size, now.digest) == (mark.size, mark.digest) else "has changed since"
