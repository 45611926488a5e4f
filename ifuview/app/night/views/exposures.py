"""The exposures as the dock lists them: a row each, a dot for every camera and product, and the filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ifuview.app.night.views.heat import NOT_ASKED, CameraVerdict, verdicts
from ifuview.app.session import Session
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.exposures import NO_CHAIN, RAW, Dot, Exposure, ExposureIndex, TileFile

HINT = (
    "Open the folder of a production, a night, an exposure or a tile (File > Open folder, or ifuview FOLDER) to see "
    "which exposures, cameras and products there are."
)
EMPTY = "There are no products of cameras in this folder: choose a production, a night, an exposure or a tile."
COLUMNS = (
    *("Night", "Exposure", "Object", "Target", "Tile", "Type", "Time (s)", "Seeing (″)", "Transparency", "Missing"),
    "Raw",
)
WORDS = ("Object", "Target", "Type")  # columns that read from the left
OPTIONAL = (
    "Object",
    "Target",
    "Tile",
    *COLUMNS[7:9],
    "Raw",
)  # that are shown only where an exposure has something there
MISSING_PLACE, RAW_PLACE = COLUMNS.index("Missing"), COLUMNS.index("Raw")
WHOLE = "tile"  # column of what is not of a petal
KEYS = {
    "night": "night", "expid": "expid", "exposure": "expid", "tile": "tile", "tileid": "tile", "obstype": "obstype",
    "type": "obstype", "exptime": "exptime", "time": "exptime", "camera": "camera", "product": "product",
    "missing": "missing", "object": "object", "target": "target", "seeing": "seeing", "transparency": "transparency",
}  # fmt: skip
SHOWN = (Dot.PRESENT, Dot.BAD_AMPLIFIER, Dot.BAD_CAMERA)  # whole files
ABSENT = (Dot.MISSING, Dot.OFF)
SIGNS = ("<=", ">=", "=", "<", ">")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One exposure; `dots` by camera, one of each product, in the order of the view."""

    expid: int
    cells: tuple[str, ...]
    sort: tuple[str | float | None, ...]
    dots: tuple[tuple[Dot, ...], ...]
    exposure: Exposure


@dataclass(frozen=True, slots=True, eq=False)
class TileRow:
    """One kind of product of one tile: tile, group and family as text; `files` by petal."""

    cells: tuple[str, str, str]
    files: dict[str, TileFile]


@dataclass(frozen=True, slots=True, eq=False)
class ExposuresView:
    """Everything that the dock shows.

    Parameters
    ----------
    rows : tuple of Row
    cameras : tuple of str
        Those that have a file in some exposure.
    products : tuple of str
    expid, camera, product
        What is on the canvas; None and "" for nothing.
    title : str
        Folder that is open.
    watched : bool
    compared : str
        Folder of the other production, "" without one.
    hint : str
        What to do when there is nothing to list.
    tiles : tuple of TileRow
        Products of tiles.
    petals : tuple of str
        Their columns: petals, and WHOLE.
    chain : ChainSpec
        How the products follow each other.
    open_paths : frozenset of str
        Files that are open.
    verdicts : mapping of (exposure, camera) to CameraVerdict
        Of those that were judged.
    """

    rows: tuple[Row, ...] = ()
    cameras: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    expid: int | None = None
    camera: str = ""
    product: str = ""
    title: str = ""
    watched: bool = False
    compared: str = ""
    hint: str = field(default=HINT)
    tiles: tuple[TileRow, ...] = ()
    petals: tuple[str, ...] = ()
    chain: ChainSpec = NO_CHAIN
    open_paths: frozenset[str] = frozenset()
    verdicts: Mapping[tuple[int, str], CameraVerdict] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing of what is open."""
        return bool(self.hint)

    @property
    def hidden(self) -> frozenset[int]:
        """Places of the columns that no exposure has anything in and that need not be seen."""
        places = [COLUMNS.index(name) for name in OPTIONAL]
        return frozenset(place for place in places if not any(row.cells[place] for row in self.rows))


_ROWS: dict[int, tuple[ExposureIndex, tuple[Row, ...]]] = {}  # of the index shown last
_TILES: dict[int, tuple[ExposureIndex, tuple[TileRow, ...]]] = {}


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    result = None if session.triage is None else session.triage.result
    return (session.night, session.current, session.tables, result, session.health, *(s.key for s in session.slots))


def make(session: Session) -> ExposuresView:
    """The exposures of the night that is open, or a hint."""
    from ifuview.app.night.open_night import here

    if session.night is None:
        return ExposuresView()
    night, now = session.night, here(session)
    index: ExposureIndex = night.index
    if not index.exposures and not index.tiles:
        return ExposuresView(title=index.folder, watched=night.watched, hint=EMPTY)
    cameras = seen(index)
    return ExposuresView(
        rows=_rows(index, cameras),
        cameras=cameras,
        products=index.products,
        expid=None if now is None else now.expid,
        camera="" if now is None else now.camera,
        product="" if now is None else index.chain.stored(now.product),
        title=index.folder,
        watched=night.watched,
        compared="" if night.compared is None else night.compared.folder,
        hint="",
        tiles=_tile_rows(index),
        petals=tuple(sorted({_petal(f) for f in index.tiles}, key=lambda p: (p == WHOLE, p))),
        chain=index.chain,
        open_paths=frozenset(s.dataset.path for s in session.slots) | {t.path for t in session.tables},
        verdicts=_verdicts(session, index),
    )


def _verdicts(session: Session, index: ExposureIndex) -> Mapping[tuple[int, str], CameraVerdict]:
    """What was found in each camera of each exposure; of raw ones, in their amplifiers."""
    if index.raw_night is None:
        return verdicts(index.chain, session.triage)
    from ifuview.app.night.views import health

    return health.verdicts(session.health, index)


def _petal(file: TileFile) -> str:
    """Column of a product of a tile."""
    return WHOLE if file.petal is None else str(file.petal)


def _tile_rows(index: ExposureIndex) -> tuple[TileRow, ...]:
    """Rows of the products of tiles; made once for each index."""
    known = _TILES.get(0)
    if known is None or known[0] is not index:
        files: dict[tuple[str, str, str], dict[str, TileFile]] = {}
        for f in index.tiles:
            files.setdefault((str(f.tile), f.group, f.family), {})[_petal(f)] = f
        known = _TILES[0] = (index, tuple(TileRow(cells, own) for cells, own in files.items()))
    return known[1]


def seen(index: ExposureIndex) -> tuple[str, ...]:
    """Cameras that have a file in some exposure; a camera that is missing all night has no column of its own."""
    have = {camera for e in index.exposures for camera, _ in e.files}
    return tuple(c for c in index.cameras if c in have)


def _rows(index: ExposureIndex, cameras: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows of an index; made once for each."""
    known = _ROWS.get(0)
    if known is None or known[0] is not index:
        known = _ROWS[0] = (index, tuple(_row(e, cameras, index.products) for e in index.exposures))
    return known[1]


def _row(e: Exposure, cameras: tuple[str, ...], products: tuple[str, ...]) -> Row:
    """One exposure."""
    tile = "" if e.tile is None or e.tile < 0 else str(e.tile)
    time = "" if e.exptime is None else f"{e.exptime:g}"
    missing = e.missing
    sky = tuple(_number(e.table.get(name)) for name in ("SEEING", "TRANSPARENCY"))
    cells = (
        str(e.night or ""),
        e.name,
        e.object,
        " ".join(e.target),
        tile,
        e.obstype,
        time,
        *("" if value is None else f"{value:.2f}" for value in sky),
        str(len(missing)) if missing else "",
        RAW * bool(e.raw),
    )
    tiled = e.tile if tile else -1
    sort = (
        *(e.night, e.expid, e.object, cells[3], tiled, e.obstype, e.exptime or 0.0, sky[0] or 0.0, sky[1] or 0.0),
        *(len(missing), bool(e.raw)),
    )  # fmt: skip
    return Row(e.expid, cells, sort, tuple(tuple(e.dot(c, p) for p in products) for c in cameras), e)


def _number(text: str | None) -> float | None:
    """The number of a table, None without one."""
    try:
        return float(text or "")
    except ValueError:
        return None


def tip(row: Row, camera: str = "", products: tuple[str, ...] = (), verdict: CameraVerdict = NOT_ASKED) -> str:
    """What the pointer over a row, or over the dots of a camera, says."""
    e = row.exposure
    if not camera:
        more = [f"{name}: {e.table[name]}" for name in ("PROGRAM", "COMMENTS", "EXPFLAG") if e.table.get(name)]
        absent = [f"missing cameras: {', '.join(e.missing)}"] if e.missing else []
        amps = [f"bad amplifiers: {', '.join(c + a for c, a in e.bad_amplifiers.items())}"] if e.bad_amplifiers else []
        return "\n".join([f"Exposure {e.name}", *absent, *amps, *e.notes, *more])
    letters = e.bad_amplifiers.get(camera, "")
    bad = ", a bad camera" if camera in e.off else f", bad amplifier {letters}" if letters else ""
    lines = [f"{p}: {e.dot(camera, p)}" for p in products]
    return "\n".join([f"{camera} of {e.name}{bad}: {verdict.state}", *filter(None, [verdict.text]), *lines])


def parse_filter(text: str) -> tuple[tuple[str, str, str], ...]:
    """Words of a filter as (key, sign, value); key "" for a bare word."""
    out = []
    for word in text.lower().split():
        sign = next((s for s in SIGNS if s in word), "")
        key, _, value = word.partition(sign) if sign else ("", "", word)
        out.append((KEYS.get(key, key), sign, value))
    return tuple(out)


def example(view: ExposuresView) -> str:
    """Words of a filter that this folder has something for: `tile=7951 camera=r6 exptime>600`."""
    names = ("night", "expid", "object", "target", "tile", "obstype")
    cell = dict(zip(names, view.rows[-1].cells, strict=False)) if view.rows else {}
    words = [f"{key}={cell[key]}" for key in ("tile", "obstype") if cell.get(key, "").isalnum()][:1]
    words += [f"camera={view.cameras[-1]}"] if view.cameras else []
    return " ".join([*words, "exptime>600"])


def problem(text: str) -> str:
    """What is wrong with a filter, "" if nothing is."""
    unknown = [k for k, sign, _ in parse_filter(text) if sign and k not in KEYS.values()]
    if not unknown:
        return ""
    return f"There is no column {unknown[0]}; choose {', '.join(dict.fromkeys(KEYS.values()))}."


def matches(view: ExposuresView, text: str) -> tuple[list[int], list[int]]:
    """Indices of the rows and of the cameras that pass a filter like `tile=7951 camera=r6 exptime>600`."""
    words = parse_filter(text)
    letters = [v for k, _, v in words if k == "camera"]
    cameras = [i for i, c in enumerate(view.cameras) if all(_camera_fits(c, v) for v in letters)]
    tests = [_test(view, *word) for word in words if word[0] != "camera"]
    rows = [i for i, row in enumerate(view.rows) if all(test(row) for test in tests)]
    if letters:
        rows = [i for i in rows if any(dot not in ABSENT for c in cameras for dot in view.rows[i].dots[c])]
    return rows, cameras


def _camera_fits(camera: str, values: str) -> bool:
    """Whether a camera is one of `r6,b` (an arm, a number or a name)."""
    return any(v in (camera, camera[:1], camera[1:]) for v in values.split(","))


def _test(view: ExposuresView, key: str, sign: str, value: str) -> Callable[[Row], bool]:
    """Whether a row passes one word of a filter."""
    if not sign:
        return lambda row: any(value in cell.lower() for cell in row.cells)
    if key == "product":
        places = [i for i, p in enumerate(view.products) if p in value.split(",")]
        return lambda row: any(dots[i] not in ABSENT for dots in row.dots for i in places)
    if key == "missing":
        return lambda row: value in row.exposure.missing or value == row.cells[MISSING_PLACE]
    names = ("night", "expid", "object", "target", "tile", "obstype", "exptime", "seeing", "transparency")
    if key not in names:
        return lambda row: False
    place = names.index(key)
    if key in ("object", "target"):
        return lambda row: any(word in row.cells[place].lower() for word in value.split(","))
    if sign == "=":
        return lambda row: row.cells[place].lower() in value.split(",")
    try:
        limit = float(value)
    except ValueError:
        return lambda row: False
    compare: dict[str, Callable[[float], bool]] = {
        "<": lambda v: v < limit, ">": lambda v: v > limit, "<=": lambda v: v <= limit, ">=": lambda v: v >= limit
    }  # fmt: skip

    def passes(row: Row) -> bool:
        at = row.sort[place]
        return bool(row.cells[place]) and isinstance(at, int | float) and compare[sign](float(at))

    return passes
