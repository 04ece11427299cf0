"""Every architecture learns from samples, and the parts of its loss mean what they say."""

import numpy as np
import pytest
import torch

from training.detector.loss import Assigned, Batch, HoldLoss, mask_loss, padded
from training.detector.networks import ARCHITECTURES, SHIPPED, build
from training.detector.train import Plan, as_float32, draw_weights, rate_factor
from training.detector.walls import RENDERED, Wall

SIDE = 64


def a_batch(codes=None):
    """Two pictures, one with two holds and one with none."""
    return Batch(
        images=torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)),
        codes=torch.zeros(2, SIDE, SIDE, dtype=torch.int64) if codes is None else codes,
        picture=torch.zeros(2),
        kinds=torch.tensor([0.0, 1.0]),
        boxes=torch.tensor([[0.3, 0.3, 0.3, 0.2], [0.7, 0.6, 0.25, 0.4]]),
        code=torch.tensor([1, 2], dtype=torch.int32),
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_has_a_loss_that_reaches_its_weights(architecture):
    network = build(architecture).train()
    loss, parts = HoldLoss(network)(as_float32(network(a_batch().images)), a_batch())
    loss.backward()
    assert all(torch.isfinite(part) for part in parts.values())
    assert parts["box"] > 0
    first = next(network.parameters())
    assert first.grad is not None
    assert first.grad.abs().sum() > 0


def test_a_batch_without_holds_is_learned_from_as_well():
    network = build(SHIPPED).train()
    nothing = a_batch()
    nothing = Batch(
        nothing.images,
        nothing.codes,
        torch.zeros(0),
        torch.zeros(0),
        torch.zeros(0, 4),
        torch.zeros(0, dtype=torch.int32),
    )
    loss, _ = HoldLoss(network)(as_float32(network(nothing.images)), nothing)
    assert torch.isfinite(loss)


def test_values_are_padded_picture_by_picture():
    rows = padded(torch.tensor([5, 6, 7], dtype=torch.int32), torch.tensor([0, 2, 2]), 4)
    assert rows.tolist() == [[5, 0], [0, 0], [6, 7], [0, 0]]
    assert padded(torch.zeros(0, dtype=torch.int32), torch.zeros(0, dtype=torch.int64), 2).tolist() == [[0], [0]]


def test_the_right_mask_costs_less_than_the_wrong_one():
    codes = torch.zeros(1, SIDE, SIDE, dtype=torch.int64)
    codes[0, 16:48, 16:48] = 1
    anchors = 60
    assigned = Assigned(
        torch.ones(1, anchors, dtype=torch.bool),
        torch.ones(1, anchors, dtype=torch.int32),
        torch.tensor([16.0, 16.0, 48.0, 48.0]).expand(1, anchors, 4),
    )
    planes = torch.full((1, 32, SIDE // 4, SIDE // 4), -8.0)
    planes[0, 0, 4:12, 4:12] = 8.0
    right, wrong = torch.zeros(2, 1, 32, anchors)
    right[:, 0], wrong[:, 0] = 1, -1
    assert mask_loss(planes, right, assigned, codes) < 0.5 < mask_loss(planes, wrong, assigned, codes)


def test_rare_gyms_are_drawn_more_often_and_rendered_walls_as_often_as_told():
    def wall(gym):
        return Wall(None, None, gym, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))

    walls = [wall("large")] * 20 + [wall("small")] * 2 + [wall(RENDERED)] * 50
    weights = draw_weights(walls, 0.3)
    assert weights[20] == 3 * weights[0]
    assert sum(weights[22:]) == pytest.approx(0.3 * sum(weights))
    assert draw_weights(walls[:22], 0.3) == weights[:22]


def test_the_learning_rate_warms_up_and_falls():
    assert rate_factor(0.0, 0) < 0.02
    assert rate_factor(0.0, 1000) == pytest.approx(1)
    assert rate_factor(1.0, 1000) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("budget", "seconds", "samples", "used"),
    [(None, 1800, 9, 0.25), (None, 9000, 9, 1.0), (400, 1800, 100, 0.25), (400, 1800, 408, 1.0)],
)
def test_a_run_is_over_after_its_time_or_its_samples(budget, seconds, samples, used):
    plan = Plan(
        architecture=SHIPPED,
        hours=2,
        budget=budget,
        side_px=SIDE,
        batch=8,
        learning_rate=0.01,
        weight_decay=0,
        seed=0,
        processes=1,
        device="cpu",
        measure_minutes=8,
        rendered=0,
        hold_out=(),
        gentle_from=0.8,
        start_from=None,
    )
    assert plan.progress(seconds, samples) == used
