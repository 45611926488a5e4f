"""Calibrated files and back; the commands wavecal, flatcal and calibrate; configuration files."""

from __future__ import annotations

import dataclasses
import json

import h5py
import hdf5plugin  # noqa: F401  (the filter of the table)
import numpy as np
import pytest

from ifuview.app.photons.calibration import files
from ifuview.app.photons.calibration import solve as cal
from ifuview.cli import main
from ifuview.commands.photons import flatcal
from ifuview.commands.photons.config import literals, read_config
from ifuview.commands.run import command
from ifuview.engine.photons.counting.timemask import time_mask
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError, UsageError
from ifuview.io.photons.index.build import build_index
from ifuview.io.photons.lists.write import write_photons
from ifuview.io.photons.opening import open_photons
from ifuview.model.photons.calibration_stack import CalibrationStack, MaskStep, WaveStep
from ifuview.report.photons.flat_plots import flat_summary
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_flat, simulate_lasers, simulate_photons
from tests.io.photons.published import published_reader

TABLE = "photons/photontable"


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Lasers, a flat, a science exposure of a small array, as files."""
    folder = tmp_path_factory.mktemp("night")
    array = make_array((8, 6), dead=2, cold=1, hot=1, unsolved=0)
    lasers, _ = simulate_lasers(array)
    for wave, photons in lasers.items():
        write_photons(folder / f"laser_{wave:g}.h5", photons)
    write_photons(folder / "flat.h5", simulate_flat(array, calibrated=False, photons_per_pixel=800)[0])
    write_photons(folder / "phase.h5", simulate_photons(array=array, calibrated=False, duration=1.0)[0])
    lines = "".join(f"{r} {4e9 + 1e6 * i:.0f} 55\n" for i, r in enumerate(array.beammap.ids))
    (folder / "sweep.txt").write_text(lines)
    command("wavecal", [*(str(folder / f"laser_{w:g}.h5") for w in lasers), "-o", str(folder / "wave.h5")])
    command(
        "flatcal", [str(folder / "flat.h5"), "--wavecal", str(folder / "wave.h5"), "-o", str(folder / "weights.h5")]
    )
    return folder, array


def rows_and_rest(path):
    """Rows, beam map, flags and attributes of a photon table, as the library reads them."""
    with h5py.File(path) as file:
        table = file[TABLE]
        attributes = {k: repr(v) for k, v in table.attrs.items()}
        return table[:].tobytes(), file["beammap/map"][:].tolist(), file["beammap/flag"][:].tolist(), attributes


def values_and_weights(source):
    blocks = [(b.value.copy(), b.weight.copy()) for b in source.blocks(weight=True)]
    return [np.concatenate(column) for column in zip(*blocks)]


def test_calibrated_file_and_back_bit_by_bit(night, tmp_path, capsys):
    folder, _ = night
    new, old = str(tmp_path / "new.h5"), str(tmp_path / "old.h5")
    argv = [str(folder / "phase.h5"), "--wavecal", str(folder / "wave.h5"), "--flatcal", str(folder / "weights.h5"),
            "--lincal", "--cosmics", "sigma", "--pixcal", "-o", new]  # fmt: skip
    assert command("calibrate", argv) == 0
    assert "without a wavelength solution keep their phases" in capsys.readouterr().out
    made = open_photons(new)
    assert made.info.calibrated and made.info.calibrations["wavecal"] == "wave"
    assert dict(made.info.calibrations).keys() == {"wavecal", "flatcal", "lincal", "cosmiccal", "pixcal"}
    assert (made.info.header["E_WAVCAL"], made.info.header["E_FLTCAL"]) == ("wave", "weights")
    assert made.info.header["flatcal.method"] == "white" and made.info.header["wavecal.resolution"]["wave"][0] == 808
    assert made.info.beammap.flagged(["wavecal.bad"]).sum() >= 2
    stack = cal.stack(wavecal=str(folder / "wave.h5"), flatcal=str(folder / "weights.h5"), lincal=True)
    wanted = values_and_weights(cal.calibrated(open_photons(folder / "phase.h5"), stack))
    assert all((a == b).all() for a, b in zip(values_and_weights(made), wanted))
    assert command("calibrate", [new, "--undo", "-o", old]) == 0
    assert rows_and_rest(old) == rows_and_rest(folder / "phase.h5")


def test_the_published_reader_opens_a_calibrated_file(night, tmp_path):
    folder, _ = night
    new = tmp_path / "new.h5"
    argv = ["--wavecal", str(folder / "wave.h5"), "--flatcal", str(folder / "weights.h5"), "-o", str(new)]
    assert command("calibrate", [str(folder / "phase.h5"), *argv]) == 0
    found = published_reader(
        """
        from mkidpipeline.photontable import Photontable
        import mkidpipeline.pipeline
        t = Photontable(sys.argv[1])
        out.update(wave=bool(t.wavelength_calibrated), rows=len(t.query()), name=t.query_header("flatcal"),
                   resolution=[float(r) for r in t.query_header("wavecal.resolution")["wave"]],
                   bad=int(t.flagged(["wavecal.bad"]).sum()))
        """,
        new,
    )
    rows, bad = open_photons(new).info.nphoton, int(open_photons(new).info.beammap.flagged(["wavecal.bad"]).sum())
    lasers = [808.0, 920.0, 980.0, 1120.0, 1310.0]
    assert found == {"wave": True, "rows": rows, "name": "weights", "resolution": lasers, "bad": bad}


def test_masked_photons_come_back_in_their_places(night, tmp_path):
    folder, _ = night
    mask = time_mask([(0.1, 0.4), (0.9, 1.0)])
    steps = CalibrationStack((WaveStep(cal.read_wavecal(str(folder / "wave.h5"))), MaskStep(mask, "timemask")))
    info, notes = files.calibrate_file(str(folder / "phase.h5"), str(tmp_path / "new.h5"), steps)
    before = open_photons(folder / "phase.h5").info.nphoton
    with h5py.File(tmp_path / "new.h5") as file:
        time = file[TABLE]["time"]
        assert info.nphoton == len(time) == len(file["original/wavelength"]) < before
        assert len(file["original/removed"]) == before - len(time)
    assert not ((time >= 100_000) & (time < 400_000)).any() and "kept apart" in notes[0]
    files.undo_file(str(tmp_path / "new.h5"), str(tmp_path / "old.h5"))
    assert rows_and_rest(tmp_path / "old.h5") == rows_and_rest(folder / "phase.h5")


def test_phases_are_computed_back_from_a_file_that_keeps_none(night, tmp_path):
    folder, _ = night
    solution = cal.read_wavecal(str(folder / "wave.h5"))
    made = cal.calibrated(open_photons(folder / "phase.h5"), CalibrationStack((WaveStep(solution),)))
    write_photons(tmp_path / "foreign.h5", made)
    with pytest.raises(UsageError, match="does not keep its columns"):
        files.undo_file(str(tmp_path / "foreign.h5"), str(tmp_path / "old.h5"))
    files.undo_file(str(tmp_path / "foreign.h5"), str(tmp_path / "old.h5"), wavecal=solution)
    old, phase = (next(iter(open_photons(p).blocks())).value for p in (tmp_path / "old.h5", folder / "phase.h5"))
    assert np.abs(old - phase).max() < 1e-4


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--flatcal", "weights.h5"], "need wavelengths"), ([], "no calibration"),
     (["--wavecal", "phase.h5"], "is no wave"),
     (["--wavecal", "nothing.h5"], "no such file"), (["--undo"], "does not keep"),
     (["--undo", "--lincal"], "do not go together"), (["--lincal", "--dead-time", "-1"], "no dead time")],
)  # fmt: skip
def test_wishes_that_make_no_sense(night, tmp_path, options, says):
    folder, _ = night
    named = [str(folder / o) if o.endswith(".h5") else o for o in options]
    with pytest.raises(IfuviewError, match=says):
        command("calibrate", [str(folder / "phase.h5"), *named, "-o", str(tmp_path / "new.h5")])
    assert not list(tmp_path.iterdir())


def test_calibrated_values_are_kept_beside_an_index(night, tmp_path):
    folder, _ = night
    path = tmp_path / "phase.h5"
    path.write_bytes((folder / "phase.h5").read_bytes())
    index = build_index(open_photons(path))
    stack = cal.stack(wavecal=str(folder / "wave.h5"), flatcal=str(folder / "weights.h5"), lincal=True)
    for steps, kind in ((stack, "CalibratedSource"), (stack.without("lincal"), "PhotonIndex")):
        wanted = cal.calibrated(index, steps)
        found = cal.stored(wanted)
        assert type(found).__name__ == kind and found.info.calibrations == wanted.info.calibrations
        assert all((a == b).all() for a, b in zip(values_and_weights(found), values_and_weights(wanted)))
        assert found.info.calibrated and found.info.beammap.flagged(["wavecal.bad"]).any()
    assert (
        cal.stored(cal.calibrated(index, stack.switched("wavecal", False).switched("flatcal", False))).source is index
    )


def test_a_second_calibration_is_refused(night, tmp_path):
    folder, _ = night
    new = str(tmp_path / "new.h5")
    assert command("calibrate", [str(folder / "phase.h5"), "--wavecal", str(folder / "wave.h5"), "-o", new]) == 0
    with pytest.raises(UsageError, match="already"):
        command("calibrate", [new, "--wavecal", str(folder / "wave.h5"), "-o", str(tmp_path / "again.h5")])
    with pytest.raises(UsageError, match="overwrite"):
        command("calibrate", [new, "--lincal", "-o", new])


def test_a_damaged_original_is_refused(night, tmp_path):
    folder, _ = night
    new = tmp_path / "new.h5"
    assert command("calibrate", [str(folder / "phase.h5"), "--wavecal", str(folder / "wave.h5"), "-o", str(new)]) == 0
    with h5py.File(new, "r+") as file:
        file["original"].attrs["ifuview.before"] = "{}"
    with pytest.raises(FileFormatError, match="cannot be read"):
        files.undo_file(str(new), str(tmp_path / "old.h5"))


def test_fits_of_the_commands_agree_with_the_truth(night, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("ifuview.report.photons.plots.DPI", 40)
    folder, _ = night
    lasers = [str(folder / name) for name in ("laser_808.h5", "laser_1310.h5")]
    plots = tmp_path / "plots"
    argv = [*lasers, "--json", "-", "--plots", str(plots), "--pixel", "2,3", "--powersweep", str(folder / "sweep.txt")]
    assert command("wavecal", argv) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["solved"] >= 44 and numbers["lasers_nm"] == [808, 1310]
    names = {p.name for p in plots.iterdir()}
    assert {"wavecal_summary.pdf", "wavecal_r_vs_frequency.png", "wavecal_pixel_2_3.png"} <= names
    assert all(p.stat().st_size > 3000 for p in plots.iterdir())
    flat = str(tmp_path / "flat.h5")
    argv = [str(folder / "flat.h5"), "--wavecal", str(folder / "wave.h5"), "-o", flat, "--edges", "800,1000,1400"]
    assert command("flatcal", [*argv, "--method", "polynomial", "--plots", str(plots), "--pixel", "2,3"]) == 0
    assert {"flat_summary.pdf", "flat_pixel_2_3.png", "flat_mask_slices.png"} <= {p.name for p in plots.iterdir()}
    solution = cal.read_flatcal(flat)
    assert solution.method == "polynomial" and solution.waves.tolist() == [900, 1200]


def test_bins_of_few_resonators_are_named(night, tmp_path):
    folder, _ = night
    flat = cal.read_flatcal(str(folder / "weights.h5"))
    assert flatcal.thin_bins(flat) == ""
    weights = flat.weights.copy()
    weights[:, 0] = np.nan
    thin = dataclasses.replace(flat, weights=weights)
    assert flatcal.thin_bins(thin) == f" (few at {flat.waves[0]:.0f} nm (0))"
    panels = flat_summary(thin).axes
    drawn = np.asarray(panels[1].lines[0].get_ydata(), float)
    assert np.isnan(drawn[0]) and np.isfinite(drawn[1:]).all()
    assert f"{flat.waves[0]:.0f} nm: 0 (too few to be drawn)" in panels[3].texts[0].get_text()


def test_laser_wavelengths_of_names_and_headers(night, tmp_path):
    folder, _ = night
    assert cal.laser_wave("x/laser_808.h5") == 808
    assert cal.laser_wave("980nm.h5") == cal.laser_wave("20181223_980.5nm.h5") - 0.5
    assert cal.laser_wave("run12_1310.h5") == 1310
    with pytest.raises(UsageError, match=r"any of 808, 1310 nm; write 808="):
        cal.laser_wave("808_1310.h5")
    with pytest.raises(UsageError, match="neither name nor header"):
        cal.laser_wave("first.h5")
    plain = str(folder / "phase.h5")
    assert cal.laser_files([f"808={plain}", str(folder / "laser_920.h5")]) == {
        808.0: plain, 920.0: str(folder / "laser_920.h5"),
    }  # fmt: skip
    with pytest.raises(UsageError, match="two files for 920"):
        cal.laser_files([f"920={plain}", str(folder / "laser_920.h5")])
    with pytest.raises(UsageError, match="no wavelength"):
        cal.laser_files([f"x={plain}"])
    photons = open_photons(plain)
    write_photons(tmp_path / "blue.h5", photons, header={"laser": 650.0})
    assert list(cal.laser_files([str(tmp_path / "blue.h5")])) == [650.0]


def test_toml_fills_what_the_command_line_leaves_open(night, tmp_path):
    folder, _ = night
    config = tmp_path / "night.toml"
    config.write_text(f'[calibrate]\nwavecal = "{folder / "wave.h5"}"\noutput = "{tmp_path / "a.h5"}"\nlincal = true\n')
    assert command("calibrate", [str(folder / "phase.h5"), "--config", str(config), "-o", str(tmp_path / "b.h5")]) == 0
    assert not (tmp_path / "a.h5").exists()
    assert {"wavecal", "lincal"} == open_photons(tmp_path / "b.h5").info.calibrations.keys()
    config.write_text("[calibrate]\nwavecall = 3\n")
    with pytest.raises(UsageError, match="no option 'wavecall'"):
        command("calibrate", [str(folder / "phase.h5"), "--config", str(config)])
    config.write_text("calibrate = [")
    with pytest.raises(FileFormatError, match="no TOML"):
        read_config(str(config))
    with pytest.raises(MissingDataError):
        read_config(str(tmp_path / "none.toml"))


def test_old_configurations_are_parsed_and_never_run(night, tmp_path, capsys):
    folder, _ = night
    marker = tmp_path / "ran"
    config = tmp_path / "old.cfg"
    config.write_text(f"""
[Data]
directory = '{folder}'
wavelengths = [808, 1310]  # nm
file_names = ['laser_808.h5', 'laser_1310.h5']
import os
os.system('touch {marker}')
bin_width = __import__('os').system('touch {marker}') or 2
[Fit]
out = '{tmp_path / "old_sol.h5"}'
""")
    assert command("wavecal", ["--config", str(config)]) == 0
    assert not marker.exists()
    assert "the value of bin_width in line 8 is no literal: it is left out, and not run." in capsys.readouterr().err
    assert cal.read_wavecal(str(tmp_path / "old_sol.h5")).lasers.tolist() == [808, 1310]
    assert literals("a = b = [1, (2, -3.5)]\nc: int = 4\nd = e\nf(1)\n") == {"a": [1, (2, -3.5)], "b": [1, (2, -3.5)],
                                                                            "c": 4}  # fmt: skip
    with pytest.raises(FileFormatError, match="Python syntax"):
        literals("wavelengths = [808,")


def test_commands_are_on_the_command_line(night, tmp_path, capsys):
    folder, _ = night
    assert main(["wavecal", str(folder / "laser_808.h5"), "-o", str(tmp_path / "x.h5")]) == 2
    assert "two lasers" in capsys.readouterr().err
    assert main(["flatcal", str(folder / "flat.h5"), "-o", str(tmp_path / "x.h5")]) == 2
    assert "holds phases" in capsys.readouterr().err
    assert main(["calibrate", "--help"]) == 0
    assert not list(tmp_path.iterdir())


def test_lasers_in_the_wrong_order_solve_nothing_and_it_is_said(night, tmp_path, capsys):
    folder, _ = night
    new = tmp_path / "swapped.h5"
    swapped = [f"1310={folder / 'laser_808.h5'}", f"808={folder / 'laser_1310.h5'}"]
    assert main(["wavecal", *swapped, "-o", str(new)]) == 2
    told = capsys.readouterr().err
    assert "the peaks do not rise with wavelength (808 nm at" in told and "which file is of which laser" in told
    assert (
        main(["wavecal", *(str(folder / f"laser_{w}.h5") for w in (808, 1310)), "--least", "9999", "-o", str(new)]) == 2
    )
    assert "no resonator has photons enough in two lasers" in capsys.readouterr().err
    assert not new.exists()


def test_a_solution_of_few_resonators_is_doubted(night, tmp_path, capsys, monkeypatch):
    folder, _ = night
    monkeypatch.setattr(cal, "FEW_SOLVED", 2.0)
    files = [str(folder / f"laser_{w}.h5") for w in (808, 1310)]
    assert command("wavecal", [*files, "-o", str(tmp_path / "few.h5")]) == 3
    assert "with photons enough are solved" in capsys.readouterr().err and (tmp_path / "few.h5").exists()


def test_a_laser_file_that_is_not_there_is_named(night):
    folder, _ = night
    with pytest.raises(MissingDataError, match=r"nothere\.h5: there is no such file"):
        cal.laser_files([str(folder / "laser_808.h5"), "nothere.h5"])
