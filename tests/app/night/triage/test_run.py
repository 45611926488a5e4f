"""The triage of the simulated night: every planted defect, nothing else; bad input; the command line."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ifuview.app.night.triage import run as triage
from ifuview.app.night.triage.chain import read_chain
from ifuview.app.night.triage.files import find_cameras, overlaid
from ifuview.commands.run import command
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.exit_codes import BAD_INPUT, FOUND, OK
from ifuview.model.night.triage import SCHEMA

TARGET_LIGHT = 0.12  # that fibers off their position still get


@pytest.fixture(scope="module")
def production(shared_data) -> Path:
    return shared_data / "desi"


@pytest.fixture(scope="module")
def night(production, tmp_path_factory):
    """The whole night with its other production, run once."""
    folder = tmp_path_factory.mktemp("night")
    result = triage.run_triage([str(production)], after=str(production / "after_fix"), output=str(folder))
    return result, folder


@pytest.fixture(scope="module")
def truth(production):
    return json.loads((production / "truth.json").read_text())["defects"]


def of(result, defect, kind):
    return [
        f for f in result.findings
        if (f.expid, f.camera, f.kind) == (defect["exposure"], defect["camera"], kind)
    ]  # fmt: skip


def test_every_sky_defect_has_its_step_its_blocks_and_its_wavelengths(night, truth):
    for defect in (d for d in truth if d.get("stage") == "sky"):
        (one,) = of(night[0], defect, "wavelength-blocks")
        assert (one.first_step, one.block_size) == ("sky", 50)
        assert sorted(one.blocks) == sorted(defect["blocks50"]), defect
        low, high = defect["wave"]
        common = min(one.wave_range[1], high) - max(one.wave_range[0], low)
        assert common / (max(one.wave_range[1], high) - min(one.wave_range[0], low)) > 0.92  # bins of 16 A
        signs = {str(b): np.sign(a) for b, a in zip(one.blocks, one.detail["amplitude_of_block"], strict=True)}
        assert signs == defect["sign_in_sframe"]


def test_the_bad_amplifier_is_found_in_all_exposures(night, truth):
    rows = [d for d in truth if d["klass"] == "constant-CCD-row"]
    assert len(rows) == 4
    for defect in rows:
        (one,) = of(night[0], defect, "ccd-row")
        assert (one.first_step, one.amplifier) == ("preproc", "A")
        assert one.detail["reach"] == "all night"


def test_every_fiber_is_found_and_known_or_new(night, truth):
    for defect in (d for d in truth if d["klass"] == "isolated-fiber"):
        found = {f.fibers[0]: f for f in of(night[0], defect, "isolated-fiber")}
        (fiber,) = defect["fibers"]
        assert found[fiber].known == defect["flagged"]
        assert found[fiber].detail["dead"] == ("dead" in defect["note"])


def test_positions_stars_and_the_real_gradient(night, truth):
    for defect in truth:
        if defect["klass"] == "positioning":
            (one,) = of(night[0], defect, "positioning")
            assert (one.fibers[0], one.fibers[-1]) == tuple(defect["fibers"])
            light, error = one.detail["target_light"], one.detail["target_light_error"]
            assert abs(light - TARGET_LIGHT) < 2 * error < 0.12
        elif defect["klass"] == "neighbours-of-bright":
            (one,) = of(night[0], defect, "bright-neighbor")
            assert one.detail["source"] == defect["source"]
        elif defect.get("group") == "smooth in focal plane":
            (one,) = of(night[0], defect, "sky-gradient")
            low, high = defect["wave"]
            assert min(one.wave_range[1], high) - max(one.wave_range[0], low) >= 0.7 * (high - low)
            assert abs(one.detail["direction_deg"] - 180) < 15  # along -X


def test_there_is_nothing_else(night, truth):
    assert len(night[0].findings) == len(truth)
    assert not night[0].problems
    # the only detector images of the set are of another camera
    assert {(n.camera, n.what, n.missing) for n in night[0].not_measured} == {
        ("r8", "first step of ccd-row", "preproc")
    }


def test_the_other_production_is_fixed_but_for_the_line(night):
    states = {(f.before.kind, f.before.fibers[0]): f.status for f in night[0].fixed}
    assert states == {
        ("wavelength-blocks", 0): "fixed",
        ("isolated-fiber", 78): "remains",
        ("isolated-fiber", 37): "remains",
        ("bright-neighbor", 343): "remains",
        ("sky-gradient", 0): "remains",
    }
    assert all(f.remains < 0.05 for f in night[0].fixed if f.status == "fixed")


def test_causes_are_excluded_with_evidence(night):
    about = [c for c in night[0].causes if c.about == night[0].causes[0].about]
    assert night[0].causes[0].about.startswith("wavelength-blocks")
    assert [c.name for c in about if c.verdict == "supported by"] == ["sky model"]
    assert len(about) == 7
    assert all(c.evidence for c in about)


def test_the_files_are_written(night):
    result, folder = night
    tree = json.loads((folder / triage.JSON).read_text())
    assert tree["schema"] == SCHEMA
    assert len(tree["findings"]) == len(result.findings)
    needed = {
        "expid", "camera", "class", "first_step", "fibers", "blocks", "wave_range", "amplifier", "amplitude", "unit",
        "significance", "extent", "known", "confidence", "text",
    }  # fmt: skip
    assert all(needed <= set(f) for f in tree["findings"])
    assert {"excluded", "not_measured", "after"} <= set(tree)
    page = (folder / triage.HTML).read_text()
    assert "wavelength-blocks" in page
    drawn = [f["evidence"] for f in tree["findings"] if f["evidence"]]
    assert len(drawn) >= 10
    assert all((folder / name).read_bytes()[:4] == b"\x89PNG" for name in drawn)
    assert not [p for p in folder.rglob("*") if p.name.endswith(".part")]


@pytest.fixture
def small(production, tmp_path):
    """One camera in a folder of its own, to be damaged."""
    here = tmp_path / "exposures" / "20211014" / "00104284"
    here.mkdir(parents=True)
    for name in ("frame", "sframe", "sky", "fluxcalib", "cframe"):
        shutil.copy(production / "exposures/20211014/00104284" / f"{name}-r6-00104284.fits.gz", here)
    calib = tmp_path / "calibnight" / "20211014"
    calib.mkdir(parents=True)
    for name in ("fiberflatnight", "psfnight"):
        shutil.copy(production / "calibnight/20211014" / f"{name}-r6-20211014.fits.gz", calib)
    return here


def kinds(result):
    return {f.kind for f in result.findings}


def test_products_without_gz_and_with_are_mixed(small):
    packed = small / "sky-r6-00104284.fits.gz"
    (small / "sky-r6-00104284.fits").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert "wavelength-blocks" in kinds(triage.run_triage([str(small)]))


def test_a_missing_product_is_named(small):
    (small / "sky-r6-00104284.fits.gz").unlink()
    result = triage.run_triage([str(small)])
    lacks = {n.what: n.missing for n in result.not_measured}
    assert lacks["mixed-production"] == "sky, for which frame / flat - sframe stands"
    (blocks,) = (f for f in result.findings if f.kind == "wavelength-blocks")
    assert blocks.first_step == "sky"  # which the others make
    assert len(result.cameras) == 1


def test_an_sframe_alone_is_judged_and_the_step_said_to_be_unknown(small, tmp_path_factory):
    name = "sframe-r6-00104284.fits.gz"
    path = shutil.copy(small / name, tmp_path_factory.mktemp("alone") / name)
    result = triage.run_triage([str(path)])
    (blocks,) = (f for f in result.findings if f.kind == "wavelength-blocks")
    assert blocks.first_step == "sframe"
    assert "which step made it sky model and fiberflat would tell" in blocks.text
    said = {c.name: c.verdict for c in result.causes}
    assert said["sky model"] == said["fiberflat"] == "not decided"
    assert said["traces and PSF"] == said["flux calibration"] == "excluded by"


def test_a_cut_file_is_one_sentence_and_the_rest_goes_on(small):
    path = small / "frame-r6-00104284.fits.gz"
    path.write_bytes(path.read_bytes()[:200_000])
    result = triage.run_triage([str(small)])
    (said,) = result.problems
    assert "cut off" in said
    assert "wavelength-blocks" in kinds(result)


def test_light_in_the_sky_model_needs_another_exposure(small):
    said = {(n.expid, n.camera, n.missing) for n in triage.run_triage([str(small)]).not_measured}
    assert said == {(104284, "r6", "other exposures of the camera")}
    assert not triage.run_triage([str(small)], only=["ccd-row"]).not_measured


def test_mixed_files_are_told(small, production):
    shutil.copy(production / "after_fix/00104284/sky-r6-00104284.fits.gz", small)
    assert "mixed-production" in kinds(triage.run_triage([str(small)]))


def test_productions_are_not_mixed(small, production):
    other = small.parents[2] / "after" / "00104284"
    other.mkdir(parents=True)
    for path in (production / "after_fix/00104284").iterdir():
        shutil.copy(path, other)
    (small / "sky-r6-00104284.fits.gz").unlink()
    (camera,) = find_cameras([str(small.parents[2])])
    assert "sky" not in camera.files


def test_only_some_classes_and_cameras(small):
    assert kinds(triage.run_triage([str(small)], only=["isolated-fiber"])) == {"isolated-fiber"}
    with pytest.raises(UsageError, match="no class"):
        triage.run_triage([str(small)], only=["nonsense"])
    with pytest.raises(MissingDataError, match="z9"):
        triage.run_triage([str(small)], cameras=["z9"])


def test_what_depends_on_a_new_product_is_not_kept(small, production):
    (before,) = find_cameras([str(small)])
    (after,) = find_cameras([str(production / "after_fix")])
    both = overlaid(before, after)
    assert "cframe" not in both.files
    assert "after_fix" in both.files["sky"]
    assert both.files["flat"] == before.files["flat"]


def test_other_shapes_and_no_fiber_table(tmp_path):
    from astropy.io import fits

    def put(name, rows, wave):
        flux = np.ones((rows, 200), np.float32)
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(wave, name="WAVELENGTH"), fits.ImageHDU(flux, name="IVAR"),
                fits.ImageHDU(flux, name="SKY" if name == "sky" else "FLUX")]  # fmt: skip
        fits.HDUList(hdus).writeto(tmp_path / f"{name}-r1-00000001.fits")

    wave = np.linspace(6000, 6200, 200)
    put("sframe", 25, wave)
    put("sky", 30, wave)
    put("frame", 25, np.broadcast_to(wave, (25, 200)).copy())
    (camera,) = find_cameras([str(tmp_path)])
    chain, problems, _ = read_chain(camera)
    assert chain.shape == (25, 200)
    assert any("common grid" in p for p in problems)
    assert any("shape" in p for p in problems)
    assert any("no fiber table" in p for p in problems)
    triage.run_triage([str(tmp_path)])


@pytest.mark.parametrize("make", [lambda p: p / "nothing", lambda p: p])
def test_a_folder_without_products_is_one_sentence(make, tmp_path):
    with pytest.raises(IfuviewError):
        triage.run_triage([str(make(tmp_path))])


def test_exit_codes(small, tmp_path, capsys):
    out = tmp_path / "out"
    assert command("triage", [str(small), "--only", "isolated-fiber", "--quiet", "-o", str(out)]) == FOUND
    assert (out / triage.HTML).is_file()
    assert command("triage", [str(small), "--only", "fluxcalib", "--json", "-"]) == OK
    assert json.loads(capsys.readouterr().out)["findings"] == []
    with pytest.raises(UsageError):
        command("triage", [str(small)])


@pytest.mark.parametrize(("text", "known"), [("r8A;b7D", True), ("r8B", False), ("", False)])
@pytest.mark.parametrize("form", ["csv", "ecsv"])
def test_amplifiers_of_the_exposure_table_are_known(production, tmp_path, text, known, form):
    (tmp_path / "exposures/20211014").mkdir(parents=True)
    (tmp_path / "exposures/20211014/00104282").symlink_to(production / "exposures/20211014/00104282")
    (tmp_path / "calibnight").symlink_to(production / "calibnight")
    tables = tmp_path / "exposure_tables/202110"
    tables.mkdir(parents=True)
    head = "# %ECSV 1.0\n# ---\n" if form == "ecsv" else ""
    rows = f"EXPID,OBSTYPE,TILEID,CAMWORD,BADAMPS\n104282,science,1298,a0123456789,{text}\n"
    (tables / f"exposure_table_20211014.{form}").write_text(head + rows)
    result = triage.run_triage([str(tmp_path)], cameras=["r8"], only=["ccd-row"])
    (one,) = result.findings
    assert one.known == known
    assert ("known: the night log" in one.text) == known


def test_a_tile_folder_gives_its_exposures_and_lamps_are_left_out(production, tmp_path):
    tile = find_cameras([str(production / "tiles/cumulative/7951/20211014")])
    assert {c.expid for c in tile} == {104284, 104285}
    lamp = tmp_path / "exposures/20211014/00000001"
    lamp.mkdir(parents=True)
    shutil.copy(
        production / "exposures/20211014/00104284/frame-r6-00104284.fits.gz", lamp / "frame-r6-00000001.fits.gz"
    )
    assert len(find_cameras([str(tmp_path)])) == 1
    (tmp_path / "exposures.csv").write_text("EXPID,OBSTYPE\n1,flat\n")
    with pytest.raises(MissingDataError):
        find_cameras([str(tmp_path)])


def test_what_could_not_be_measured_is_not_called_clean(small, capsys):
    from astropy.io import fits

    for name in ("frame", "sky", "fluxcalib", "cframe"):
        (small / f"{name}-r6-00104284.fits.gz").unlink()
    path = small / "sframe-r6-00104284.fits.gz"
    assert command("triage", [str(small), "-o", str(small / "out")]) == FOUND  # products are missing
    said = capsys.readouterr().out
    assert "clean: nothing found" not in said
    assert "could not be measured for 104284 r6 (missing:" in said
    with fits.open(path) as hdus:
        hdus["FLUX"].data[:] = np.nan
        hdus.writeto(small / "sframe-r6-00104284.fits")
    path.unlink()
    assert command("triage", [str(small), "--only", "ccd-row,bright-neighbor", "-o", str(small / "out")]) == BAD_INPUT


def test_the_triage_of_a_watched_camera_is_written_where_asked(production, tmp_path):
    from ifuview.app.night import open_night as night
    from ifuview.app.night import watch as night_watch
    from ifuview.app.night.triage.growing import answers

    index = night.scan_folder(str(production / "exposures/20211014/00104284"))
    one = night_watch.ask(index, 104284, "r6", results=str(tmp_path))
    lines = night_watch.lines(answers(None, (one,), "").after, one)
    tree = json.loads((tmp_path / "00104284/r6/triage.json").read_text())
    assert len(tree["findings"]) == len(lines)
    assert (tmp_path / "00104284/r6/triage.html").is_file()


def test_a_folder_that_is_indexed_is_not_looked_through_again(small, monkeypatch):
    from ifuview.io.night import exposures

    folder = str(small.parents[2])
    index = exposures.scan(folder)
    fresh = find_cameras([folder])
    monkeypatch.setattr(exposures, "scan", lambda *_, **__: pytest.fail("looked through again"))
    assert find_cameras([folder], indexes=(index,)) == fresh


def without_information(small, fibers):
    """The products of a camera with an inverse variance of 0 in some fibers."""
    from astropy.io import fits

    for name in ("frame", "sframe", "cframe"):
        path = small / f"{name}-r6-00104284.fits.gz"
        with fits.open(path) as hdus:
            hdus["IVAR"].data[fibers] = 0
            hdus.writeto(path.with_suffix(""))
        path.unlink()


def test_masked_fibers_are_named_and_the_share_that_was_judged_is_told(small, tmp_path, capsys):
    without_information(small, slice(100, 350))
    out = tmp_path / "out"
    assert command("triage", [str(small), "-o", str(out)]) == FOUND
    assert "masked" in capsys.readouterr().out
    tree = json.loads((out / triage.JSON).read_text())
    (one,) = [f for f in tree["findings"] if f["class"] == "masked-data"]
    assert one["fibers"] == list(range(100, 350))
    (judged,) = tree["judged"]
    assert judged["share"] == pytest.approx(0.498, abs=0.005)
    assert set(range(100, 350)) <= set(judged["masked"])
    assert command("triage", [str(small), "--only", "fluxcalib", "--json", "-"]) == FOUND  # half is not clean


def test_marked_pixels_with_a_weight_are_counted_by_their_bits(small, tmp_path):
    from astropy.io import fits

    for name in ("sframe", "cframe"):
        path = small / f"{name}-r6-00104284.fits.gz"
        with fits.open(path) as hdus:
            weight = hdus["IVAR"].data[40:43, 100:110] > 0
            hdus["MASK"].data[40:43, 100:110] = 4 + 64
            hdus.writeto(path.with_suffix(""))
        path.unlink()
    out = tmp_path / "out"
    assert command("triage", [str(small), "--only", "mask-bits", "-o", str(out)]) == FOUND
    (one,) = json.loads((out / triage.JSON).read_text())["findings"]
    assert (one["class"], one["first_step"], one["fibers"]) == ("mask-bits", "sframe", [40, 41, 42])
    assert one["amplitude"] == weight.sum()
    assert one["detail"]["bits"] == {"COSMIC": weight.sum(), "BADSKY": weight.sum()}
    assert one["detail"]["marked_in"] == ["sframe", "cframe"]


def test_rows_of_the_fiber_table_that_moved_are_named(small):
    from astropy.io import fits

    for name in ("frame", "sframe", "sky", "cframe"):
        path = small / f"{name}-r6-00104284.fits.gz"
        with fits.open(path) as hdus:
            if "FIBERMAP" in hdus:
                order = np.arange(500)
                order[[20, 30]] = 30, 20
                hdus["FIBERMAP"].data = hdus["FIBERMAP"].data[order]
            hdus.writeto(path.with_suffix(""))
        path.unlink()
    (one,) = triage.run_triage([str(small)], only=["swapped-fibers"]).findings
    assert one.fibers == (20, 30)


def test_tables_that_disagree_name_their_fibers(small):
    from astropy.io import fits

    path = small / "frame-r6-00104284.fits.gz"
    with fits.open(path) as hdus:
        hdus["FIBERMAP"].data["TARGETID"][[40, 41]] = hdus["FIBERMAP"].data["TARGETID"][[41, 40]]
        hdus.writeto(path.with_suffix(""))
    path.unlink()
    (one,) = triage.run_triage([str(small)], only=["swapped-fibers"]).findings
    assert one.fibers == (40, 41)
    assert "frame-r6" in one.text


def test_a_damaged_product_is_never_clean(small):
    path = small / "fluxcalib-r6-00104284.fits.gz"
    path.write_bytes(path.read_bytes()[:2000])
    result = triage.run_triage([str(small)], only=["ccd-row"])
    assert result.judged[0].bad == ("fluxcalib is damaged",)
    assert not result.judged[0].whole
