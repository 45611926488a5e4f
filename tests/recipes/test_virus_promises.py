"""What the reduction of many fiber heads promises, each with the test that keeps it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROMISES = {
    "overscan, gain and read noise": "engine/ccd/test_electrons.py::test_level_gain_and_noise_are_recovered",
    "dark current": "engine/ccd/test_dark.py::test_dark_current_is_measured_and_taken_off",
    "mask of pixels": "recipes/test_virus_calibrations.py::test_dead_fibers_and_bad_columns_are_in_the_masks",
    "calibrations from raw frames": "recipes/test_virus_calibrations.py::test_calibrations_are_what_was_simulated",
    "traces shifted to the observation":
        "engine/traces/slit/test_slit.py::test_a_shift_is_measured_from_faint_light_with_its_error",
    "wavelengths shifted to the sky": "recipes/test_virus_calibrations.py::test_wavelengths_follow_the_sky",
    "scattered light": "engine/ccd/test_cosmics.py::test_scattered_light_is_recovered_under_close_fibers",
    "profile extraction": "recipes/test_virus_calibrations.py::test_an_exposure_has_the_light_that_was_simulated",
    "aperture of 5 px": "engine/spectra/test_boxcar.py::test_fractions_of_the_edge_pixels_are_exact",
    "chi2 mask": "engine/spectra/test_mask.py::test_a_misfit_takes_two_columns_on_either_side",
    "fiber normalization and its limit":
        "engine/spectra/flat/test_adjust.py::"
        "test_response_is_corrected_as_far_as_it_is_known_and_sources_are_not_taken_for_it",
    "low efficiency and charge traps":
        "engine/spectra/flat/test_adjust.py::test_low_columns_and_traps_are_found_where_they_begin_and_nothing_else",
    "total masks by fiber and amplifier":
        "engine/spectra/test_mask.py::test_too_much_lost_takes_the_fiber_the_column_and_the_amplifier",
    "bit errors": "engine/ccd/test_health.py::test_a_bit_that_does_not_change_is_found",
    "bleeding":
        "engine/spectra/test_mask.py::test_light_bleeds_into_the_neighbors_of_a_saturated_fiber_of_the_same_amplifier",
    "sky of the own head": "recipes/test_virus_shot.py::test_sky_is_recovered_in_spectrum_gradient_and_errors",
    "sky of another head": "recipes/test_virus_shot.py::test_sky_of_another_head_serves_where_it_is_asked_for",
    "sky where light is everywhere":
        "app/night/test_virus_shot.py::test_a_head_full_of_light_takes_the_sky_of_the_nearest_that_sees_some",
    "errors renormalized":
        "engine/spectra/flux/test_errors.py::"
        "test_factor_is_that_by_which_errors_are_wrong_and_sources_do_not_count",
    "astrometry, optics, illumination":
        "recipes/test_virus_shot.py::test_pointing_optics_and_illumination_are_recovered",
    "guider": "app/night/test_virus_shot.py::test_missing_pointing_and_exposures_are_said_and_the_guider_is_used",
    "flux calibration and stars": "recipes/test_virus_shot.py::test_stars_have_their_flux_and_shape",
    "lines": "engine/spectra/detect/test_detect.py::test_lines_are_measured_within_their_errors",
    "continua": "engine/spectra/detect/test_detect.py::test_continua_are_found_with_their_light",
    "completeness":
        "engine/spectra/detect/test_detect.py::test_planted_lines_are_found_as_often_as_the_true_noise_allows",
    "cubes and a source put in":
        "recipes/test_virus_shot.py::test_cube_holds_the_flux_of_stars_and_of_a_source_put_in",
    "tables of the observation": "io/products/test_virus_products.py::test_tables_have_the_published_columns_and_rows",
    "read by other tools": "io/products/test_virus_products.py::test_pytables_reads_it_as_the_published_tools_do",
    "public shots": "io/products/test_virus_products.py::test_public_shots_open_with_fibers_and_detectors",
    "one or two exposures": "recipes/test_virus_shot.py::test_dithers_of_two_exposures_are_found_on_the_stars",
    "no catalog": "recipes/test_virus_shot.py::test_without_catalog_places_are_the_headers_and_it_is_said",
    "few stars":
        "engine/spectra/stars/test_stars.py::test_two_stars_tell_the_shift_and_leave_the_rotation_to_the_header",
    "dead amplifier": "recipes/test_virus_shot.py::test_dead_amplifier_keeps_its_bits",
    "calibrations of others": "recipes/test_virus_calibrations.py::test_calibrations_of_other_hardware_are_refused",
    "very many detections": "io/products/test_virus_products.py::test_tables_of_very_many_rows_are_shown_in_part",
}  # fmt: skip


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_has_its_test(promise: str) -> None:
    path, name = PROMISES[promise].split("::")
    assert re.search(rf"^def {name}\(", (TESTS / path).read_text(encoding="utf-8"), re.MULTILINE), promise
