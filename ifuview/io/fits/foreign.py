"""What a file is that is no FITS, by its first bytes, and what its owner can do with it."""

from __future__ import annotations

from ifuview.errors import FileFormatError

UNPACK, CONVERT = "unpack it first", "convert it to FITS, or show its array from Python: ifuview.show(array)"
DOWNLOAD = "download it again"
TAR_AT = 257  # where POSIX.1-1988 has the word
TEXT_BYTES = 512  # that are looked at

# first bytes, what that is, what to do
KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", UNPACK),
    (b"\x04\x22\x4d\x18", "packed by lz4", UNPACK),
    (b"\x1f\x9d", "packed by compress", UNPACK),
    (b"\x93NUMPY", "an array of numpy", "show it from Python: ifuview.show(numpy.load(FILE))"),
    (b"#ASDF", "an ASDF file", CONVERT),
    (b"CDF", "a netCDF file", CONVERT),
    (b"\x89PNG", "a picture (PNG)", CONVERT),
    (b"\xff\xd8\xff", "a picture (JPEG)", CONVERT),
    (b"GIF8", "a picture (GIF)", CONVERT),
    (b"II*\0", "a picture (TIFF)", CONVERT),
    (b"MM\0*", "a picture (TIFF)", CONVERT),
    (b"%PDF", "a PDF document", "open a FITS image"),
    (b"version https://git-lfs", "a pointer of Git LFS, whose file was not fetched", "fetch it: git lfs pull"),
    (b"<!doctype html", "a web page, perhaps the words of a server in place of the file", DOWNLOAD),
    (b"<html", "a web page, perhaps the words of a server in place of the file", DOWNLOAD),
)


def no_fits(start: bytes, path: str) -> FileFormatError:
    """The error that says what a file is whose first bytes are `start`."""
    begin = start.lstrip()[:TEXT_BYTES] if _is_text(start) else start
    for magic, kind, todo in KINDS:
        if begin[: len(magic)].lower() == magic.lower():
            return FileFormatError(f"this is no FITS file but {kind}", path, todo)
    if start[TAR_AT : TAR_AT + 5] == b"ustar":
        return FileFormatError("this is no FITS file but a tar archive", path, f"open a file in it: {path}/NAME.fits")
    if _is_text(start):
        todo = "a table in text is read if its name ends in .csv, .ecsv or .vot"
        return FileFormatError("this is no FITS file but text", path, todo)
    return FileFormatError("this is no FITS file", path, "open a FITS image, or a trace file as traces")


def _is_text(start: bytes) -> bool:
    """Whether bytes are printable."""
    try:
        text = start[:TEXT_BYTES].decode("utf-8", "strict" if len(start) <= TEXT_BYTES else "ignore")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(c.isprintable() or c.isspace() for c in text)
