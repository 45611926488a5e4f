"""Header cards of FITS: from 80-character records to (keyword, value, comment), nothing lost that is worth showing."""

from __future__ import annotations

from collections.abc import Sequence

from ifuview.model.dataset import Card, CardValue

CARD_SIZE = 80  # bytes, FITS standard 4.0, section 3.3.1
COMMENTARY = ("COMMENT", "HISTORY", "")
# Cards of a tile-compressed image that describe the table around it, and those that keep the image's own
TABLE_CARDS = (
    "XTENSION",
    "BITPIX",
    "NAXIS",
    "PCOUNT",
    "GCOUNT",
    "TFIELDS",
    "TTYPE",
    "TFORM",
    "TUNIT",
    "THEAP",
    "ZIMAGE",
    "ZCMPTYPE",
    "ZTILE",
    "ZNAME",
    "ZVAL",
    "ZQUANTIZ",
    "ZDITHER0",
    "ZBLANK",
    "ZMASKCMP",
    "ZHECKSUM",
    "ZDATASUM",
)
IMAGE_CARDS = ("ZSIMPLE", "ZBITPIX", "ZNAXIS", "ZEXTEND", "ZTENSION", "ZPCOUNT", "ZGCOUNT", "ZBLOCKED")


def real(value: object) -> float | None:
    """A finite number of a header, None if there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < float("inf") else None


def word(value: object) -> str:
    """The text of a card without blanks around it, "" if it has none."""
    return value.strip() if isinstance(value, str) else ""


def image_cards(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """The header of a compressed image as its owner wrote it, without the cards of the table that holds it."""
    out = []
    for keyword, value, comment in cards:
        stem = keyword.rstrip("0123456789")
        if stem in IMAGE_CARDS:
            out.append(("XTENSION" if keyword == "ZTENSION" else keyword[1:], value, comment))
        elif not {stem, keyword} & set(TABLE_CARDS):
            out.append((keyword, value, comment))
    return tuple(out)


def parse_cards(text: str) -> tuple[Card, ...]:
    """Parse the cards of a header (without the END card) in file order.

    Long strings (CONTINUE) are joined, HIERARCH keywords lose that prefix, a
    card that breaks the rules is kept as commentary under its keyword.
    """
    out: list[Card] = []
    for start in range(0, len(text), CARD_SIZE):
        card = text[start : start + CARD_SIZE]
        key = card[:8].rstrip()
        if card[8:10] == "= " and key not in COMMENTARY:
            value, comment = _value(card[10:])
            out.append((key, value, comment))
        elif key == "CONTINUE" and out and isinstance(out[-1][1], str) and out[-1][1].endswith("&"):
            value, comment = _value(card[8:])
            last = out[-1]
            joined = str(last[1])[:-1] + (value if isinstance(value, str) else "")
            out[-1] = (last[0], joined, " ".join(part for part in (last[2], comment) if part))
        elif key == "HIERARCH" and "=" in card:
            name, _, rest = card[8:].partition("=")
            value, comment = _value(rest)
            out.append((name.strip(), value, comment))
        else:
            tail = card[8:].rstrip()
            if key or tail:
                out.append((key, tail.strip() if key else tail, ""))
    return tuple(out)


def as_header(*parts: Sequence[Card]) -> dict[str, CardValue]:
    """Keyword to value of the cards, later parts winning; commentary left out."""
    return {key: value for cards in parts for key, value, _ in cards if key not in COMMENTARY}


def _value(text: str) -> tuple[CardValue, str]:
    """Value and comment of what follows the equals sign."""
    text = text.strip()
    if text[:1] == "'":
        return _string(text)
    body, _, comment = text.partition("/")
    return _scalar(body.strip()), comment.strip()


def _string(text: str) -> tuple[str, str]:
    """A quoted string, doubled quotes inside, and the comment behind it."""
    end = text.find("'", 1)
    while end > 0 and text[end + 1 : end + 2] == "'":
        end = text.find("'", end + 2)
    if end < 0:
        return text[1:].rstrip(), ""
    rest = text[end + 1 :]
    return text[1:end].replace("''", "'").rstrip(), rest.partition("/")[2].strip()


def _scalar(body: str) -> CardValue:
    """Logical, integer, real or complex number; None if empty; else the text itself."""
    if body in ("T", "F"):
        return body == "T"
    if not body:
        return None
    if "_" in body:  # Python's numbers may have it, those of FITS not
        return body
    try:
        return int(body)
    except ValueError:
        pass
    try:
        return float(body.replace("D", "E").replace("d", "e"))
    except ValueError:
        pass
    if body[0] == "(" and body[-1] == ")":
        real, _, imaginary = body[1:-1].partition(",")
        try:
            return complex(float(real), float(imaginary))
        except ValueError:
            pass
    return body
