"""Units of amplifiers whose headers do not name them: what is plugged in a slot is what frames nearby say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ifuview.model.night.raw import RawAmplifier, RawExposure

Unit = tuple[str, str, str]  # spectrograph, fiber head, controller


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
