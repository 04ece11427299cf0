"""Every form is a closed lump: covered in the middle, empty at its reach, heights finite."""

import numpy as np
import pytest

from training.renderer.catalog import FORMS, draw_form


@pytest.mark.parametrize("kind", sorted(FORMS))
@pytest.mark.parametrize("seed", range(8))
def test_outline_is_closed_within_reach(kind, seed):
    form, half_m = draw_form(np.random.default_rng(seed), kind)
    edge = form.reach * 1.1
    axis = np.linspace(-edge, edge, 81, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    inside = form.gauge(u, v) < 1
    assert 0.01 < inside.mean() < 0.9
    border = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    assert not border.any()
    assert FORMS[kind][2][0] <= half_m <= FORMS[kind][2][1]


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_heights_are_finite_and_rise_above_the_wall(kind):
    form, _ = draw_form(np.random.default_rng(5), kind)
    axis = np.linspace(-1, 1, 41, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    gauge = form.gauge(u, v)
    height = form.height(u, v, gauge)[gauge < 1]
    assert np.isfinite(height).all()
    assert 0.2 < height.max() < 2
