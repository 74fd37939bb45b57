"""The stress bench's measures against answers that are known, and against what would bribe them."""

import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from library import measures
from library.board import newly_clipped
from library.judging import GAIN, Stacks, measured
from library.scenes import FACE_DARKEST, FACE_LIGHTEST, FACE_STOPS, SCENES, TEXT
from library.sensor import CODINGS, ELECTRONS_AT_WHITE, READ_NOISE_ELECTRONS, exposed, lifted, mean_luma
from scipy.ndimage import gaussian_filter
from skimage.color import lab2rgb

from enlighten_cli.photo import LUMA, as_pixels
from enlighten_cli.photo.colour import linear_srgb


def noisy_patch(deviation=0.1, light=0.2, seeds=4):
    random = np.random.default_rng(0)
    return (light * (1 + deviation * random.standard_normal((seeds, 64, 64, 3)))).astype(np.float32)


def line_pairs(period=8, tone=0.2, contrast=0.3):
    sign = np.where(np.arange(96) % period < period // 2, 1, -1)
    row = tone * (1 + contrast * sign)
    return np.broadcast_to(row[None, :, None], (96, 96, 3)).astype(np.float32)


def face():
    """A shaded disc's surroundings: smooth shading, encoded, and where to look."""
    shading = np.linspace(0.5, 0.25, 200)[None, :, None] * np.linspace(1, 0.9, 200)[:, None, None]
    region = np.zeros((200, 200), bool)
    region[20:-20, 20:-20] = True
    return np.repeat(shading, 3, axis=2).astype(np.float32), region


# Grain and mottle


def test_noise_is_the_deviation_over_the_light():
    found = measures.noise(noisy_patch(0.1))
    luma_weights = np.array([0.299, 0.587, 0.114])
    assert found.luma == pytest.approx([0.1 * np.linalg.norm(luma_weights)] * 4, rel=0.05)
    red, blue = np.array([1, 0, 0]) - luma_weights, np.array([0, 0, 1]) - luma_weights
    wanted = 0.1 * ((red @ red + blue @ blue) / 2) ** 0.5
    assert found.chroma == pytest.approx([wanted] * 4, rel=0.05)


@given(st.floats(0.05, 20))
def test_neither_darkening_nor_brightening_changes_noise(gain):
    stack = noisy_patch()
    one, other = measures.noise(stack), measures.noise(stack * np.float32(gain))
    for kind in ("luma", "chroma", "luma_mottle", "chroma_mottle"):
        assert getattr(other, kind) == pytest.approx(getattr(one, kind), rel=1e-3)


def test_texture_and_light_that_differs_between_seeds_are_no_noise():
    texture = np.random.default_rng(1).uniform(0.1, 0.3, (1, 64, 64, 3)).astype(np.float32)
    found = measures.noise(texture * np.float32([1, 1.1, 0.9])[:, None, None, None])
    still = measures.noise(np.repeat(texture, 3, axis=0))
    assert still.luma.max() == pytest.approx(0, abs=1e-6)
    assert found.luma_mottle.max() < 0.01


def test_a_blur_lowers_grain_and_leaves_mottle():
    stack = noisy_patch()
    soft = gaussian_filter(stack, (0, 2, 2, 0))
    before, after = measures.noise(stack), measures.noise(soft)
    assert (after.luma < 0.25 * before.luma).all()
    assert (after.chroma < 0.25 * before.chroma).all()
    assert (after.luma_mottle > 0.8 * before.luma_mottle).all()


def test_blotches_are_mottle_far_more_than_grain():
    random = np.random.default_rng(3)
    blotches = gaussian_filter(random.standard_normal((4, 64, 64)), (0, 6, 6))
    blotches = 0.05 * blotches / blotches.std()
    stack = noisy_patch() * (1 + blotches[..., None])
    before, after = measures.noise(noisy_patch()), measures.noise(stack.astype(np.float32))
    assert after.luma_mottle.mean() > 5 * before.luma_mottle.mean()
    assert after.luma.mean() < 1.5 * before.luma.mean()


# Detail


@given(st.floats(0.05, 20))
def test_no_gain_changes_contrast(gain):
    clean = line_pairs()
    assert measures.contrast_kept(clean * np.float32(gain), clean) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("part", [0.0, 0.4, 1.5])
def test_contrast_is_the_part_kept(part):
    clean = line_pairs()
    flat = clean.mean()
    assert measures.contrast_kept(flat + part * (clean - flat), clean) == pytest.approx(part, abs=1e-4)


def test_a_haze_and_a_blur_cost_contrast_and_noise_adds_none():
    clean = line_pairs()
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    assert measures.contrast_kept(clean + np.float32(0.2), clean) == pytest.approx(0.5, rel=0.01)
    assert measures.contrast_kept(gaussian_filter(clean, (2, 2, 0)), clean) < 0.5
    assert measures.contrast_kept(clean + noise, clean) == pytest.approx(1, abs=0.03)


# New edges


def test_the_scene_itself_and_a_tone_curve_have_no_new_edges():
    clean, region = face()
    assert measures.new_edges(clean, clean, region) == pytest.approx(0, abs=1e-6)
    assert measures.new_edges(clean * np.float32(0.3), clean, region) < 0.02
    assert measures.new_edges(clean ** np.float32(1.8), clean, region) < 0.02
    assert measures.new_edges(clean ** np.float32(0.45), clean, region) < 0.02


@pytest.mark.parametrize("across", [True, False])
def test_an_outline_between_two_halves_is_a_new_edge_by_its_height(across):
    clean, region = face()
    found = []
    for height in (1.1, 1.3, 2.0):
        step = np.where(np.arange(200) < 100, 1, height).astype(np.float32)
        made = clean * (step[None, :, None] if across else step[:, None, None])
        found.append(measures.new_edges(made * np.float32(0.4), clean, region))
        # A step, blurred, is as steep as its height over the blur's width, give or take the scene's own slope.
        wanted = 100 * np.log(height) / (measures.EDGE_PX * (2 * np.pi) ** 0.5)
        assert found[-1] == pytest.approx(wanted, rel=0.1, abs=0.5)
    assert found == sorted(found)


# Banding


def gradient():
    down = np.linspace(0.2, 0.5, 300)[None, :, None, None]
    return np.broadcast_to(down, (2, 300, 320, 3)).astype(np.float32), np.ones((300, 320), bool)


def test_a_gradient_in_few_steps_is_banded_and_a_darker_one_is_as_much():
    smooth, region = gradient()
    steps = np.rint(smooth * 24) / 24
    finer = np.rint(smooth * 96) / 96
    assert measures.banding(smooth, region) < 0.01
    assert measures.banding(steps, region) > 3 * measures.banding(finer, region) > 0.1
    assert measures.banding(steps * 0.5, region) == pytest.approx(measures.banding(steps, region), rel=0.03)


def test_grain_neither_is_banding_nor_adds_to_it():
    smooth, region = gradient()
    noise = np.random.default_rng(0).normal(0, 0.05, smooth.shape)
    banded = np.rint(smooth * 48) / 48
    assert measures.banding(smooth + noise, region) < 0.1 * measures.banding(banded, region)
    assert measures.banding(banded + noise, region) == pytest.approx(measures.banding(banded, region), rel=0.1)


# Rings


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ring_has_its_height_and_width(sign):
    rows, columns = np.mgrid[0:440, 0:440]
    away = np.hypot(rows - 220, columns - 220) - 16
    ground = np.full((440, 440, 3), 60 / 255, np.float32)
    ground[away <= 0] = 1
    assert measures.ring(ground, (220, 220, 16)) == (pytest.approx(0, abs=0.01), 0)
    # On one side only: the mean around the lamp would hide half of it.
    ground[(away > 0) & (away < 33) & (columns > 220)] += sign * 20 / 255
    steps, px = measures.ring(ground, (220, 220, 16))
    assert steps == pytest.approx(20, abs=0.5)
    assert px == pytest.approx(33, abs=measures.RING_BIN_PX)


# Cast, colour


@pytest.mark.parametrize("turn", [-40, 5, 120])
def test_a_rotated_hue_gives_that_cast_at_any_brightness(turn):
    lab = np.array([50.0, 12.0, 9.0])
    angle = np.radians(turn)
    turned = np.array([50, 12 * np.cos(angle) - 9 * np.sin(angle), 12 * np.sin(angle) + 9 * np.cos(angle)])
    clean, made = (linear_srgb(lab2rgb(each).astype(np.float32)) for each in (lab, turned))
    assert measures.hue_angle(made, clean) == pytest.approx(abs(turn), abs=0.2)
    assert measures.hue_angle(made * np.float32(1.5), clean) == pytest.approx(abs(turn), abs=0.5)
    assert measures.hue_angle(clean, clean) == 0


def test_a_tinted_grey_gives_its_angle_at_any_brightness():
    grey = np.full(3, 0.3, np.float32)
    tinted = grey * np.float32([1, 1, 0.8])
    wanted = np.degrees(np.arccos(2.8 / (3**0.5 * 2.64**0.5)))
    assert measures.grey_angle(tinted, grey) == pytest.approx(wanted, abs=0.01)
    assert measures.grey_angle(tinted * 2, grey) == pytest.approx(wanted, abs=0.01)
    assert measures.grey_angle(grey * 2, grey) == pytest.approx(0, abs=1e-4)


def test_half_of_a_colour_is_half_of_it():
    red = np.float32([0.4, 0.1, 0.1])
    luma = float(red @ measures.LUMA)
    assert measures.colour_kept(red * 3, red) == pytest.approx(1)
    assert measures.colour_kept((red + luma) / 2, red) == pytest.approx(0.5)


# Highlights


def test_what_was_clipped_is_not_counted_again():
    before = np.full((10, 10, 3), 100, np.uint8)
    before[:2] = 255
    result = before.copy()
    result[2:5, :, 0] = 255
    assert measures.clipped(result, before) == 30
    assert measures.clipped(before, before) == 0


# The photo


def test_the_sensors_noise_is_shot_and_read_noise():
    light = np.full((200, 200, 3), 0.4, np.float32)
    shots = np.stack([linear_srgb(exposed(light, 1, None, seed) / np.float32(255)) for seed in range(2)])
    electrons = (shots[0] - shots[1]) / 2**0.5 * ELECTRONS_AT_WHITE
    assert shots.mean() == pytest.approx(0.2, rel=0.01)
    assert electrons.std() == pytest.approx((0.2 * ELECTRONS_AT_WHITE + READ_NOISE_ELECTRONS**2) ** 0.5, rel=0.05)


def test_the_same_seed_gives_the_same_photo_and_another_another():
    light = SCENES["lamp"](3).light
    one, again, other = (exposed(light, 3, CODINGS[0], seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@given(st.floats(0.15, 0.8))
def test_a_plain_gain_reaches_a_mean(mean):
    pixels = as_pixels(np.random.default_rng(0).uniform(0.05, 0.3, (40, 40, 3)).astype(np.float32))
    assert mean_luma(lifted(pixels, mean)) == pytest.approx(mean, abs=0.005)


# Scenes


def test_the_face_and_the_text_are_as_dark_as_they_say():
    scene = SCENES["backlit"](FACE_STOPS)
    dark = exposed(scene.light, FACE_STOPS, None, None).mean(axis=2)
    assert dark[scene.shading].min() == pytest.approx(FACE_DARKEST, abs=2)
    assert dark[scene.shading].max() == pytest.approx(FACE_LIGHTEST, abs=2)
    for stops in (2, 5):
        scene = SCENES["text"](stops)
        dark = exposed(scene.light, stops, None, None)
        for (ink, paper), box in zip(TEXT, scene.lines.values(), strict=True):
            assert np.array_equal(np.unique(dark[box]), [ink, paper])


@pytest.mark.parametrize("name", SCENES)
def test_the_clean_scene_is_perfect_by_every_measure(name):
    scene = SCENES[name](0)
    clean = Stacks.of([as_pixels(scene.clean)] * 2)
    found = {(each.measure, each.part): each.values for each in measured(scene, clean, clean)}
    assert {measure for measure, _ in found} >= {"highlights"}
    for (measure, part), values in found.items():
        if measure.startswith(("detail", "shadows", "colour", "figure, contrast")):
            assert values == pytest.approx([1] * len(values), abs=0.03), (measure, part)
        elif measure.startswith(("ring,", "new", "highlights", "mottle", "ramp, reversal")):
            assert values == pytest.approx([0] * len(values), abs=0.05), (measure, part)
        elif measure.startswith("cast"):
            assert max(values) < 0.6, (measure, part)
        elif measure == "banding":
            assert max(values) < 0.2
        elif measure == "ramp, step":
            assert 60 / 1280 < values[0] < 0.11  # rounding to 8 bits makes small steps
        elif measure.startswith("figure, tone"):
            assert values == pytest.approx([255 * float((scene.clean[scene.figures[part]] @ LUMA).mean())], abs=0.5)
        else:
            assert measure == "texture", measure


def test_the_unchanged_photo_has_the_grain_that_it_had():
    scene = SCENES["lines"](3)
    dark = Stacks.of([exposed(scene.light, 3, CODINGS[-1], seed) for seed in range(2)])
    gains = Stacks.of([lifted(pixels, 0.4) for pixels in dark.pixels])
    same = [
        value for each in measured(scene, dark, dark) if each.measure.startswith("grain l") for value in each.values
    ]
    assert len(same) > 8
    assert same == pytest.approx([1] * len(same))
    for each in measured(scene, dark, gains):
        if each.measure.startswith("grain luma 8"):
            assert each.values == pytest.approx([1] * 2, rel=0.1), each


def test_the_command_prints_every_row_and_writes_every_number(tmp_path):
    command = [sys.executable, REPOSITORY / "benchmarks" / "stress.py", "--quick", "--no-model", "--method", "gamma"]
    command += ["--scene", "lamp", "--json", tmp_path / "found.json", "--sheet", tmp_path / "strips"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "ring, steps" in done.stdout
    assert GAIN + "gamma" in done.stdout
    record = json.loads((tmp_path / "found.json").read_text())
    rows = [row for row in record["values"] if row["measure"] == "ring, px" and row["method"] == "gamma"]
    assert [(row["part"], row["stops"]) for row in rows] == [("6 px", 4), ("16 px", 4), ("40 px", 4)]
    assert (tmp_path / "strips" / "lamp-4-stops.png").is_file()


# Light


def test_a_ramp_that_falls_evenly_has_no_reversal_and_a_bump_is_one():
    falling = np.repeat(np.repeat(np.linspace(0.5, 0, 256)[None, :, None], 8, axis=0), 3, axis=2)
    region = np.ones((8, 256), bool)
    reversal, step = measures.ramp(falling, region)
    assert reversal == pytest.approx(0, abs=1e-6)
    assert step == pytest.approx(0.5 * 255 / 255, rel=0.05)
    falling[:, 120:160] += 0.1
    assert measures.ramp(falling, region)[0] > 10


@pytest.mark.parametrize("name", ["window", "flash", "facade", "haze"])
def test_scenes_as_taken_have_the_tones_they_name(name):
    """Whatever the stops: they are undone."""
    one, other = (exposed(SCENES[name](stops).light, stops, None, None) for stops in (0, 4))
    assert np.abs(one.astype(int) - other).max() <= 1
    for label, box in SCENES[name](0).figures.items():
        tone = float((one[box] @ np.array([0.299, 0.587, 0.114])).mean())
        if label.startswith("before a window"):
            assert tone == pytest.approx(int(label.split()[-1]), rel=0.25)


def test_what_was_nearly_white_before_is_not_newly_burnt():
    before, after = np.full((8, 8, 3), 200, np.uint8), np.full((8, 8, 3), 252, np.uint8)
    assert newly_clipped(after, before) == 100
    assert newly_clipped(after, after) == 0
