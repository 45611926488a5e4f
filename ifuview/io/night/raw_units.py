"""What headers of amplifiers do not say but frames nearby do: the unit that is plugged in a slot, gain, read noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from ifuview.io.fits.cards import real
from ifuview.model.night.raw import RawAmplifier, RawExposure

Unit = tuple[str, str, str]  # spectrograph, fiber head, controller
GAIN = "GAIN"
READ_OUT = (GAIN, "RDNOISE")  # of an amplifier and its controller
GAIN_ERROR = "GAIN_ERR"  # card of one whose gain was measured, of no file
Gains = Mapping[tuple[str, str], tuple[float, float]]  # slot and amplifier -> electron/ADU and its error


def of_known_units(exposures: tuple[RawExposure, ...]) -> tuple[RawExposure, ...]:
    """The exposures with spectrograph and fiber head of amplifiers that do not name them.

    They are those of the other amplifiers of the slot in the same exposure, else of the exposure nearest in date; a
    frame that can be used is noted then.
    """
    known: dict[str, list[tuple[int, Unit]]] = defaultdict(list)
    for exposure in exposures:
        for one in exposure.amplifiers:
            if one.specid and one.ifuid:
                known[one.slot].append((exposure.date, (one.specid, one.ifuid, one.contid)))
    return tuple(_completed(exposure, known) for exposure in exposures)


def with_read_out(exposures: tuple[RawExposure, ...]) -> tuple[RawExposure, ...]:
    """The exposures with gain and read noise of amplifiers that do not tell them: those of the nearest frame."""
    known: dict[tuple[str, ...], list[tuple[int, object]]] = defaultdict(list)
    lacking = False
    for exposure in exposures:
        for one in exposure.amplifiers:
            for card in READ_OUT:
                if tells(one, card):
                    for name in {one.contid, ""}:  # one that names no controller has that of the nearest frame
                        known[_read_by(one, card, name)].append((exposure.date, one.header[card]))
                lacking |= not tells(one, card)
    if not lacking:
        return exposures

    def complete(one: RawAmplifier, date: int) -> RawAmplifier:
        near = {card: known.get(_read_by(one, card, one.contid), ()) for card in READ_OUT if not tells(one, card)}
        found = {card: min(some, key=lambda pair: abs(pair[0] - date))[1] for card, some in near.items() if some}
        return replace(one, header={**one.header, **found}) if found else one

    return tuple(
        replace(exposure, amplifiers=tuple(complete(one, exposure.date) for one in exposure.amplifiers))
        for exposure in exposures
    )


def tells(one: RawAmplifier, card: str) -> bool:
    """Whether an amplifier, or the frames that it was completed from, has a positive number in a card of READ_OUT."""
    return (real(one.header.get(card)) or 0.0) > 0


def with_gains(exposures: tuple[RawExposure, ...], gains: Gains) -> tuple[RawExposure, ...]:
    """The exposures with gains that were measured, where no frame tells them."""

    def complete(one: RawAmplifier) -> RawAmplifier:
        if tells(one, GAIN) or (one.slot, one.name) not in gains:
            return one
        gain, error = gains[one.slot, one.name]
        return replace(one, header={**one.header, GAIN: gain, GAIN_ERROR: error})

    if not gains:
        return exposures
    return tuple(replace(one, amplifiers=tuple(complete(a) for a in one.amplifiers)) for one in exposures)


def _read_by(one: RawAmplifier, card: str, contid: str) -> tuple[str, ...]:
    return card, one.slot, one.name, one.specid, contid


def _completed(exposure: RawExposure, known: dict[str, list[tuple[int, Unit]]]) -> RawExposure:
    if all(one.specid and one.ifuid for one in exposure.amplifiers):
        return exposure
    here = {a.slot: (a.specid, a.ifuid, a.contid) for a in exposure.amplifiers if a.specid and a.ifuid}
    notes = list(exposure.notes)

    def complete(one: RawAmplifier) -> RawAmplifier:
        if (one.specid and one.ifuid) or not known.get(one.slot):
            return one
        near = min(known[one.slot], key=lambda found: abs(found[0] - exposure.date))
        specid, ifuid, contid = here.get(one.slot, near[1])
        if not one.problem:
            notes.append(
                f"{one.camera or one.slot}: the header names no unit: that of other frames, {specid}, is taken"
            )
        return replace(one, specid=one.specid or specid, ifuid=one.ifuid or ifuid, contid=one.contid or contid)

    amplifiers = tuple(complete(one) for one in exposure.amplifiers)
    return replace(exposure, amplifiers=amplifiers, notes=tuple(dict.fromkeys(notes)))
