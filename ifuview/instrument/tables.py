"""The tables of an instrument as values: of the user's own folder first, else of the program, by date and unit.

A table is `NAME.ecsv` in `resources/instruments/INSTRUMENT/`. The user's folder may hold files of the same names, in
itself or in a folder named after the instrument, or the published ones: Fiber_Locations/DATE/fiber_loc_*.txt,
lines_CAMERA.dat and fplane.txt.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date as Day
from pathlib import Path

import numpy as np

from ifuview import resources
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.instrument.catalog import FOLDER
from ifuview.instrument.ecsv import PlainTable, read_ecsv, read_words
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import ArcLines
from ifuview.model.reduction.tables import FiberLayout, FiberRows, FocalSlot, WaveCurve

FRACTION = 0.47  # of the columns, where the rows of the packaged tables were measured
LOCATION = re.compile(r"fiber_loc_(?P<specid>\w+)_(?P<slot>\w+)_(?P<ifuid>\w+)_(?P<amplifier>[LR][LU])\.txt", re.ASCII)
DATE = re.compile(r"20\d{6}", re.ASCII)
MOONS = ("dark", "grey", "bright")
Unit = tuple[str, str, str]  # spectrograph, slot and fiber head


LOCATIONS = "Fiber_Locations"  # folder of fiber rows, also beside raw data


def tables_for(instrument: str, config: str = "", *roots: str) -> Tables:
    """The tables of an instrument: a folder of the user goes first, else fiber rows that lie beside the raw data."""
    beside = next((root for root in roots if root and os.path.isdir(Path(root, LOCATIONS))), "")
    return Tables(instrument, config, beside=beside)


class Tables:
    """The tables of one instrument.

    Parameters
    ----------
    instrument : str
    folder : str
        The user's own, "" for none.
    plane : str
        A file of the focal plane in place of the one there, "" for none.
    beside : str
        A folder beside raw data, for what the user's own has not.
    """

    def __init__(self, instrument: str, folder: str = "", plane: str = "", beside: str = "") -> None:
        self.instrument = instrument
        self.folder, self.plane, self.beside = folder, plane, beside
        for own in (folder, beside):
            if own and not os.path.isdir(own):
                raise MissingDataError("no such folder of instrument tables", own)
        self._read: dict[str, PlainTable] = {}

    def fibers(self, camera: str, ifuid: str = "") -> FiberLayout:
        """Where the fibers of a detector lie, in the order of the traces."""
        table = self._table("fibers")
        found = table.where(camera=camera)
        found = found if len(found) else table.where(camera=camera[-1:])  # a side, of all slots
        if "ifuid" in found.columns:
            found = found.where(ifuid=ifuid if ifuid in found.columns["ifuid"] else "any")
        if not len(found):
            raise MissingDataError(f"no fiber positions are known of {camera}", self.instrument)
        columns = found.columns
        return FiberLayout(columns["x"], columns["y"], tuple(map(str, columns["amplifier"])))

    def rows(self, unit: Unit, amplifier: str, night: int) -> FiberRows:
        """Where the fibers of an amplifier were on the day nearest to a night (YYYYMMDD).

        Raises
        ------
        MissingDataError
            Nothing is known of that spectrograph, slot and fiber head.
        """
        own = self._user_rows(unit, amplifier)
        found = min(own, key=lambda one: _distance(one[0], night), default=None)
        if found is not None:
            return _rows_of(found[1], found[0])
        specid, slot, ifuid = unit
        table = self._table("rows").where(specid=specid, ifuslot=slot, ifuid=ifuid, amplifier=amplifier)
        if not len(table):
            words = f"no fiber rows are known of {specid}_{slot}_{ifuid}_{amplifier}"
            raise MissingDataError(words, self.instrument, "give a folder with them: --config DIR")
        at = min(range(len(table)), key=lambda n: _distance(int(table.columns["date"][n]), night))
        row, date = table.columns["row"][at], int(table.columns["date"][at])
        dead = np.zeros(len(row), bool)
        dead[table.columns["dead"][at]] = True
        return FiberRows(row, dead, date, float(table.columns["fraction"][at]), table.meta.get("source", ""))

    def lines(self, camera: str) -> ArcLines:
        """Arc lines of a detector, by wavelength."""
        path = self._user_file(f"lines_{camera}.dat")
        if path is not None:
            words = read_words(path, 4)
            try:
                numbers = np.array([[float(word) for word in row[:3]] for row in words])
            except ValueError as problem:
                raise FileFormatError(f"has text where a number is due ({problem})", str(path)) from problem
            return _lines(numbers, [row[3] for row in words], str(path))
        table = self._of("lines", camera)
        table = table.where(used=1) if "used" in table.columns else table
        columns = table.columns
        numbers = np.stack([columns["wave"], columns["column"], columns["intensity"]], axis=1)
        found = _lines(numbers, list(map(str, columns["element"])), camera)
        errors = columns.get("column_error")
        return found if errors is None else replace(found, column_error=float(np.max(errors)))

    def response(self, camera: str) -> WaveCurve:
        """Energy for each electron of the flat-relative amplitude."""
        return self._curve("response", camera, "response")

    def star_flux(self, name: str) -> WaveCurve:
        """Flux density of a standard star above the atmosphere, from a file NAME.dat of the user's folder, or beside
        raw data.

        Raises
        ------
        MissingDataError, FileFormatError
            There is none, or it holds no wavelengths (Angstrom, air) with fluxes (erg/s/cm2/Angstrom).
        """
        own = _letters(name)
        files = [path for one in (self.folder, self.beside) if one for path in sorted(Path(one).glob("*.dat"))]
        path = next((path for path in files if (stem := _letters(path.stem)) and own.startswith(stem)), None)
        if path is None:
            raise MissingDataError(
                f"no flux of the star {name.strip()} is known", self.instrument,
                "give it in --config DIR as NAME.dat: wavelength (Angstrom, air) and flux (erg/s/cm2/Angstrom)",
            )  # fmt: skip
        try:
            wave, value = np.array([[float(word) for word in row[:2]] for row in read_words(path, 2)]).T
        except ValueError as problem:
            raise FileFormatError(f"has no wavelengths with fluxes ({problem})", str(path)) from problem
        if wave.size < 2 or not np.all(np.diff(wave) > 0) or not np.all(value > 0):
            raise FileFormatError("needs wavelengths that rise and fluxes above 0", str(path))
        return WaveCurve(wave, value, "erg/s/cm2/Angstrom", source=str(path))

    def sky(self, camera: str, moon: str = "dark") -> WaveCurve:
        """Mean sky in one fiber; `moon` is dark, grey or bright."""
        return self._curve("sky", camera, moon)

    def counted_skies(self, camera: str, energy: WaveCurve) -> tuple[WaveCurve, ...]:
        """Mean skies by the moon as a detector counts them: electrons for each Angstrom on a scale of their own.

        `energy` is that of one electron, on any scale.
        """
        skies = [self.sky(camera, moon) for moon in MOONS]
        return tuple(replace(one, value=one.value / np.interp(one.wave, energy.wave, energy.value)) for one in skies)

    def refraction(self, camera: str) -> Array:
        """Wavelength (Angstrom), and where a source is seen in x and y (arcsec) there; shape (3, n)."""
        columns = self._of("refraction", camera).columns
        return np.stack([columns["wave"], columns["x"], columns["y"]])

    def sky_lines(self, camera: str) -> Array:
        """Wavelengths of night-sky lines, Angstrom; none where none are listed."""
        return np.sort(self._table("sky_lines").where(camera=camera).columns["wave"])

    def correction(self) -> WaveCurve:
        """Factor on the response, of all detectors together."""
        return self._curve("atmosphere", "", "correction")

    def telluric(self, percentile: str = "transmission") -> WaveCurve:
        """Transmission of the atmosphere's lines; `percentile` is low (16), transmission (50) or high (84)."""
        return self._curve("atmosphere", "", percentile)

    def throughput(self) -> tuple[WaveCurve, WaveCurve]:
        """Electrons for each photon on the mirror, and the normalization of the flux."""
        return self._curve("throughput", "", "throughput"), self._curve("throughput", "", "normalization")

    def passband(self) -> WaveCurve:
        """Transmission of the filter that fluxes are compared in."""
        return self._curve("filter_g", "", "transmission")

    def real_slot(self, slot: str, night: int) -> str:
        """The slot that headers of a night mean: some named another one for a while."""
        columns = self._table("slot_swaps").columns
        hit = (columns["ifuslot"] == slot) & (columns["after"] < night) & (night < columns["before"])
        return str(columns["real"][hit][0]) if hit.any() else slot

    def standards(self) -> tuple[str, ...]:
        """Names of standard stars."""
        return tuple(map(str, self._table("standards").columns["name"]))

    def focal_plane(self, night: int = 0) -> tuple[FocalSlot, ...]:
        """Slots of the focal plane; for a night those under the names that its headers have for them."""
        found = self._slots()
        if not night:
            return found
        by_slot = {one.slot: one for one in found}
        return tuple(replace(by_slot.get(self.real_slot(one.slot, night), one), slot=one.slot) for one in found)

    def _slots(self) -> tuple[FocalSlot, ...]:
        """Rows of the table."""
        path = Path(self.plane) if self.plane else self._user_file("fplane.txt")
        if path is not None:
            rows = _plane_rows(path)
        else:
            columns = self._table("focal_plane").columns
            names = ("ifuslot", "x", "y", "specid", "ifuid", "rotation", "used")
            rows = list(zip(*(columns[name].tolist() for name in names)))
        return tuple(FocalSlot(*row[:6], used=bool(row[6])) for row in rows)

    def slot(self, slot: str) -> FocalSlot | None:
        """One slot of the focal plane; None for one that is not in the table."""
        return next((one for one in self.focal_plane() if one.slot == slot), None)

    def _of(self, name: str, camera: str) -> PlainTable:
        """The rows of a table about a detector."""
        found = table = self._table(name)
        if "camera" in table.columns:
            found = table.where(camera=camera)
            found = found if len(found) else table.where(camera=camera[-1:])
        if not len(found):
            raise MissingDataError(f"the table {name} knows nothing of {camera}", self.instrument)
        return found

    def _curve(self, name: str, camera: str, column: str) -> WaveCurve:
        table = self._of(name, camera)
        columns = table.columns
        return WaveCurve(
            columns["wave"], columns[column], table.units.get(column, ""), source=table.meta.get("source", "")
        )

    def _table(self, name: str) -> PlainTable:
        """A table: the user's, else that of the program."""
        if name not in self._read:
            path = self._user_file(f"{name}.ecsv") or resources.path(f"{FOLDER}/{self.instrument}/{name}.ecsv")
            if not path.is_file():
                raise MissingDataError(f"there is no table {name}", self.instrument, "give a folder: --config DIR")
            self._read[name] = read_ecsv(path)
        return self._read[name]

    def _user_file(self, name: str) -> Path | None:
        """A file of the user's folder, else of the one beside raw data."""
        places = [
            path
            for own in (self.folder, self.beside)
            if own
            for path in (Path(own, self.instrument, name), Path(own, name))
        ]
        return next((path for path in places if os.path.isfile(path)), None)

    def _user_rows(self, unit: Unit, amplifier: str) -> list[tuple[int, Path]]:
        """Fiber locations of the user's folder, else of the one beside raw data: date and file."""
        places = (Path(own, LOCATIONS) for own in (self.folder, self.beside) if own)
        place = next((path for path in places if os.path.isdir(path)), None)
        if place is None:
            return []
        found = []
        for folder in sorted(place.glob("20*")):
            for path in folder.glob("fiber_loc_*.txt") if DATE.fullmatch(folder.name) else ():
                match = LOCATION.fullmatch(path.name)
                if match and (match["specid"], match["slot"], match["ifuid"]) == unit:
                    found += [(int(folder.name), path)] * (match["amplifier"] == amplifier)
        return found


def _plane_rows(path: Path) -> list[tuple[str, float, float, str, str, float, bool]]:
    """Slots of a published table of the focal plane."""
    try:
        rows = [(w[0], float(w[1]), float(w[2]), w[3], w[5], float(w[6]), True) for w in read_words(path, 7)]
    except (OSError, ValueError, IndexError) as problem:
        raise FileFormatError(f"is no table of the focal plane ({problem})", str(path)) from problem
    if not rows:
        raise FileFormatError("is no table of the focal plane (it is empty)", str(path))
    return rows


def _rows_of(path: Path, date: int) -> FiberRows:
    """A published file of fiber locations: the fraction of the columns, then row and flag."""
    try:
        first = path.read_text("utf-8").partition("\n")[0]
        fraction = float(first.lstrip("# ")) if first.startswith("#") else FRACTION
        numbers = np.array([[float(word) for word in row[:2]] for row in read_words(path, 2)])
    except (OSError, ValueError) as problem:
        raise FileFormatError(f"is no list of fiber rows ({problem})", str(path)) from problem
    if not numbers.size:
        raise FileFormatError("is no list of fiber rows (it is empty)", str(path))
    return FiberRows(numbers[:, 0], numbers[:, 1] != 0, date, fraction, str(path))


def _lines(numbers: Array, elements: list[str], where: str) -> ArcLines:
    """Lines by wavelength; of wave, column and intensity."""
    if not len(elements):
        raise MissingDataError("no arc lines are listed", where)
    order = np.argsort(numbers[:, 0])
    wave, column, intensity = numbers[order].T
    return ArcLines(wave, column, intensity, tuple(elements[i] for i in order))


def _letters(name: str) -> str:
    """A name of a star without what people spell in their own way."""
    return re.sub(r"[^A-Z0-9+-]", "", name.upper())


def _distance(date: int, night: int) -> tuple[int, int]:
    """Days between two dates, the earlier first where two are as far."""
    return abs((_day(date) - _day(night)).days), date


def _day(date: int) -> Day:
    """The day YYYYMMDD; the first there is for one that is none."""
    try:
        return Day(date // 10000, date // 100 % 100, date % 100)
    except ValueError:
        return Day.min
