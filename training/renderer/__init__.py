"""Rendered climbing walls with exact masks and colors, for training and for the sample photo."""

from training.renderer.layout import Amounts
from training.renderer.scene import render_wall
from training.renderer.truth import RenderedHold, RenderedWall

__all__ = ["Amounts", "RenderedHold", "RenderedWall", "render_wall"]
