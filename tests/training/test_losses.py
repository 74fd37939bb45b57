import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.training import losses

scores = st.lists(st.floats(-4, 4, allow_subnormal=False), min_size=2, max_size=6).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)


def test_least_squares_by_hand():
    assert losses.least_squares(torch.tensor([0.0, 3.0]), 1).item() == pytest.approx((1 + 4) / 2)


def test_local_losses_by_hand():
    normal, enhanced = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0])
    assert losses.local_discriminator_loss(normal, enhanced).item() == pytest.approx((0.5 + 8) / 2)
    assert losses.local_generator_loss(enhanced).item() == pytest.approx((1 + 9) / 2)


def test_relativistic_loss_by_hand():
    higher, lower = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])
    # higher - 0.5 - 1 = (-0.5, 1.5); lower - 2 = (-2, -1)
    assert losses.relativistic_least_squares(higher, lower).item() == pytest.approx((1.25 + 2.5) / 2)


def test_relativistic_loss_is_one_half_where_nothing_is_told_apart():
    same = torch.zeros(3, 1, 5, 5)
    assert losses.relativistic_least_squares(same, same).item() == pytest.approx(0.5)


@given(scores, scores)
def test_relativistic_loss_sees_only_differences(higher, lower):
    moved = losses.relativistic_least_squares(higher + 1.5, lower + 1.5)
    torch.testing.assert_close(losses.relativistic_least_squares(higher, lower), moved)


@given(scores, scores)
def test_generator_gains_by_higher_scores(normal, enhanced):
    enhanced = enhanced.clone().requires_grad_()
    losses.local_generator_loss(enhanced).backward()
    assert torch.all(torch.sign(enhanced.grad) == torch.sign(enhanced.detach() - 1))


def test_changed_detail_is_blind_to_light():
    """A shift costs nothing; a speck of one step costs what of it is not in its window's mean."""
    before = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    assert float(losses.changed_detail(before + 0.2, before)) == pytest.approx(0, abs=1e-6)
    speck = before.clone()
    speck[..., 20, 20] += 1
    share = 1 / 17**2
    expected = (1 - share + (17**2 - 1) * share) / 40**2
    assert float(losses.changed_detail(speck, before)) == pytest.approx(expected, rel=1e-4)


def test_aligned_frames_cost_nothing_within_the_tolerance():
    wanted = 0.2 + 0.4 * torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert float(losses.aligned_difference(wanted * 0.85, wanted)) == pytest.approx(0, abs=1e-6)
    darker = float(losses.aligned_difference(wanted * 0.5, wanted))
    assert darker == pytest.approx(float((wanted.mean(dim=(2, 3)) * 0.5 - 0.12).mean()), rel=1e-4)
    assert float(losses.aligned_difference(1 - wanted, wanted)) > 0.1


def test_a_gain_is_no_inconsistency_and_a_tone_curve_is():
    frames = 0.2 + 0.4 * torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert float(losses.exposure_inconsistency(frames, 0.5 * frames)) == pytest.approx(0, abs=1e-6)
    assert float(losses.exposure_inconsistency(frames, frames**2)) > 0.05


def test_the_hinge_loss_of_known_scores():
    scores = torch.tensor([-2.0, 0.0, 3.0])
    assert float(losses.hinge(scores, 1.0)) == pytest.approx((3 + 1 + 0) / 3)
    assert float(losses.hinge(scores, -1.0)) == pytest.approx((0 + 1 + 4) / 3)


def test_half_of_a_restoration_is_judged_regardless_of_brightness():
    wanted = torch.rand(2, 3, 56, 56, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.1
    assert float(losses.restoration_difference(wanted, wanted)) == 0
    darker = float(losses.restoration_difference(0.8 * wanted, wanted))
    assert darker == pytest.approx(0.5 * 0.2 * float(wanted.mean()), rel=1e-3)


def test_a_restoration_far_too_dark_is_not_excused():
    wanted = torch.full((1, 3, 56, 56), 0.5)
    assert float(losses.restoration_difference(0.1 * wanted, wanted)) > 0.4
