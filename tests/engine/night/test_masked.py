"""Masked data are blamed on the first product in which they go missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.image.detector import Detector
from ifuview.engine.night.image.first_step import open_questions, told_apart
from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.questions.masked import losses, masked
from ifuview.model.night.chain import MADE
from ifuview.recipes import desi_qa
from tests.engine.night.made import NWAVE, camera

FIBERS = slice(100, 300)
MADE_OF = {name: MADE[number:] for number, name in enumerate(MADE)}  # all that may take the loss along


@pytest.fixture(scope="module")
def whole():
    chain = camera(3)
    ones = np.ones_like(chain.sframe)
    return replace(chain, **{f"{name}_ivar": ones for name in ("flat", "sky", "fluxcalib", "cframe")})


def without(chain, products, fibers=FIBERS, columns=slice(None), value=0.0):
    """The chain without weights there in some products."""
    ivar = {f"{name}_ivar": getattr(chain, f"{name}_ivar").copy() for name in products}
    for one in ivar.values():
        one[fibers, columns] = value
    return replace(chain, **ivar)


def found(chain):
    """What is said of masked data alone; the recipe's other questions are not asked."""
    case = Case.__new__(Case)  # its numbers cost a second and are not needed
    case.chain = case.given = chain
    case.expid, case.camera, case.wanted = 1, "r1", ("masked-data",)
    case.findings, case.lacking, case.numbers, case.set_aside = [], [], {}, set()
    case.known = chain.known
    masked(case)
    return case.findings


@pytest.mark.parametrize("product", MADE)
@pytest.mark.parametrize("alone", [True, False])
def test_the_first_product_without_the_fibers_is_named(whole, product, alone):
    lost = (product,) if alone else MADE_OF[product]
    (one,) = found(without(whole, lost))
    assert (one.kind, one.first_step) == ("masked-data", {"flat": "fiberflat"}.get(product, product))
    assert one.fibers == tuple(range(100, 300))
    assert one.detail["masked_in"] == list(lost)
    assert one.detail["known_in"] == [name for name in MADE if name not in lost]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_a_weight_that_is_none_is_no_information(whole, value):
    assert found(without(whole, ("sframe",), value=value))[0].first_step == "sframe"


def test_values_that_are_no_numbers_are_lost_where_they_begin(whole):
    sky, sframe = whole.sky.copy(), whole.sframe.copy()
    sky[FIBERS] = sframe[FIBERS] = np.nan
    (one,) = found(replace(whole, sky=sky, sframe=sframe))
    assert (one.first_step, one.fibers) == ("sky", tuple(range(100, 300)))


def test_half_of_an_amplifier_masked_in_one_product(whole):
    (one,) = found(without(whole, ("sframe", "cframe"), slice(0, 125), slice(0, NWAVE // 2)))
    assert (one.first_step, one.fibers, one.amplifier) == ("sframe", tuple(range(125)), "")
    assert one.wave_range == pytest.approx((whole.wave[0], whole.wave[NWAVE // 2 - 1]))


@pytest.mark.parametrize(
    ("lost", "step"), [(("sframe", "cframe"), "sframe"), (("frame", "sframe", "cframe"), "preproc")]
)
def test_an_amplifier_is_of_the_read_out_unless_an_earlier_product_has_it(whole, lost, step):
    area = (whole.cross < 2000) & (whole.disp < 1000)
    gone = {f"{name}_ivar": np.where(area, 0, getattr(whole, f"{name}_ivar")) for name in lost}
    (one,) = found(replace(whole, **gone))
    assert (one.first_step, one.amplifier) == (step, "A")


def test_two_products_that_lose_other_fibers_are_two_findings(whole):
    steps = {
        f.first_step: f.fibers for f in found(without(without(whole, MADE_OF["sframe"]), ("cframe",), slice(0, 50)))
    }
    assert steps == {"sframe": tuple(range(100, 300)), "cframe": tuple(range(50))}


def test_wavelengths_that_all_fibers_lack_are_named(whole):
    (one,) = found(without(whole, ("cframe",), slice(None), slice(400, 500)))
    assert (one.first_step, one.wave_range) == ("cframe", pytest.approx((whole.wave[400], whole.wave[499])))
    assert len(one.fibers) == 500


def test_a_whole_chain_lost_nothing(whole):
    assert found(whole) == []
    assert losses({}) == []


@pytest.mark.parametrize(("masked_there", "step"), [(True, "preproc"), (False, "frame")])
def test_the_detector_image_tells_read_out_from_extraction(whole, masked_there, step):
    image = np.zeros((4000, 2100), np.float32)
    bad = np.zeros(image.shape, bool)
    bad[800:2400] = masked_there
    (one,) = open_questions(found(without(whole, MADE_OF["frame"])))
    (told,), _ = told_apart([one], whole, {}, Detector(image, bad), 25)
    assert told.first_step == step
    assert told.text.startswith(one.text)


@pytest.mark.parametrize(
    ("product", "value"), [("flat", 0.0), ("sky", 0.0), ("cframe", np.nan), ("cframe", 0.0), ("fluxcalib", 0.0)]
)
def test_numbers_that_nobody_measured_accuse_nothing_else(whole, product, value):
    values = getattr(whole, product).copy()
    values[FIBERS] = value
    chain = replace(without(whole, MADE_OF[product] if product == "flat" else (product,)), **{product: values})
    (one,) = desi_qa.run(chain, 1, "r1").findings
    assert (one.kind, one.first_step) == ("masked-data", {"flat": "fiberflat"}.get(product, product))


@pytest.mark.parametrize(("product", "value", "step"), [("fluxcalib", 0.0, "fluxcalib"), ("cframe", np.nan, "cframe")])
def test_a_product_without_weights_that_is_nothing_is_not_clean(product, value, step):
    chain = camera(3)
    assert getattr(chain, f"{product}_ivar") is None
    empty = replace(chain, **{product: np.full_like(getattr(chain, product), value)})
    (found,) = desi_qa.run(empty, 1, "r1").findings
    assert (found.kind, found.first_step, len(found.fibers)) == ("masked-data", step, chain.shape[0])
