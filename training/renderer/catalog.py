"""Which forms there are, how common each is, and how large."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from training.renderer import forms
from training.renderer.forms import Form

FORMS: dict[str, tuple[Callable[[np.random.Generator], Form], float, tuple[float, float]]] = {
    "sloper": (forms.sloper, 3.0, (0.07, 0.22)),
    "disc": (forms.disc, 1.3, (0.08, 0.22)),
    "jug": (forms.jug, 4.0, (0.055, 0.13)),
    "crimp": (forms.crimp, 2.6, (0.045, 0.11)),
    "pinch": (forms.pinch, 1.3, (0.06, 0.15)),
    "crescent": (forms.crescent, 0.8, (0.07, 0.24)),
    "half_moon": (forms.half_moon, 1.0, (0.06, 0.20)),
    "pocket": (forms.pocket, 1.0, (0.05, 0.10)),
    "gem": (forms.gem, 1.4, (0.05, 0.16)),
    "rail": (forms.rail, 0.5, (0.10, 0.28)),
    "cluster": (forms.cluster, 0.4, (0.07, 0.15)),
    "three_arms": (forms.three_arms, 0.6, (0.06, 0.11)),
    "drop": (forms.drop, 0.8, (0.05, 0.12)),
    "foot": (forms.foot, 3.0, (0.018, 0.042)),
}
"""Builder, how common, and the range of the half size in meters."""


def draw_form(rng: np.random.Generator, kind: str) -> tuple[Form, float]:
    """A random form of that kind and its half size in meters."""
    builder, _, (low, high) = FORMS[kind]
    half_m = float(np.exp(rng.uniform(math.log(low), math.log(high))))
    return builder(rng), half_m


def draw_kinds(rng: np.random.Generator, count: int) -> list[str]:
    """`count` kinds of handholds (no foot chips) that one set of holds mixes."""
    kinds = [kind for kind in FORMS if kind != "foot"]
    weights = np.array([FORMS[kind][1] for kind in kinds])
    return [str(kind) for kind in rng.choice(kinds, size=count, replace=False, p=weights / weights.sum())]
