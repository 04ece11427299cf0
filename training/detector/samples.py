"""Draws training samples: crops of walls, warped, cut together, with holds pasted in, half hidden, in other colors.

A batch is drawn as a whole, on the device of the bank. It is a pure function of the seed and its number, so that a
resumed run continues where it stopped.
"""

import torch
from torch import Tensor

from training.detector.dice import Dice
from training.detector.lighting import recolor, relight
from training.detector.loss import Batch
from training.detector.pictures import CODES, LAYERS, PASTED, Pictures, count_codes, look, occlude, paste
from training.detector.scenes import Bank
from training.detector.views import LOOSE, PLAIN, WILD, Views, draw_views, warp_boxes

KEPT_SHARE = 0.3  # a hold cut by the sample's edge stays a label when at least this share of its box is left
SEEN_SHARE = 0.4  # a hold behind something stays a label when at least this share of its pixels is left
LEAST_SIDE_PX = 2.5
MOSAICS, PASTED_IN, HIDDEN = 0.3, 0.6, 0.2  # shares of a batch
LIMBS = 4


class Sampler:
    """Draws batches from a bank of photos."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self._bank, self._seed = bank, seed
        self._device = bank.rgb.device

    def batch(self, number: int, count: int, side_px: int, *, gentle: bool) -> Batch:
        """Draw `count` samples; `gentle` ones look like plain photos at the served size."""
        rng = torch.Generator(self._device).manual_seed(self._seed * 1_000_003 + number)
        dice = Dice(count, rng)
        pictures, views = self._pictures(count, side_px, rng, gentle=gentle)
        before = count_codes(pictures.codes, LAYERS * CODES)
        pictures, pasted_views, pasted = self._with_pasted(pictures, dice, rng, gentle=gentle)
        before[:, PASTED * CODES :] = count_codes(pictures.codes, LAYERS * CODES)[:, PASTED * CODES :]
        hidden = dice.some(0.05 if gentle else HIDDEN)
        pictures = pictures.replaced(hidden, occlude(pictures.at(hidden), LIMBS, dice.among(hidden)))
        seen = count_codes(pictures.codes, LAYERS * CODES) >= SEEN_SHARE * before
        image = relight(recolor(pictures, dice, gentle=gentle), dice, gentle=gentle)
        return _labeled(image, pictures.codes, *self._labels(views, pasted_views, pasted, seen, side_px))

    def _pictures(self, count: int, side_px: int, rng: torch.Generator, *, gentle: bool) -> tuple[Pictures, Views]:
        """Samples of one photo, then mosaics; and (4 B,) views, of which the plain samples fill only the first."""
        plain = count if gentle else count - round(MOSAICS * count)
        frames = torch.zeros(count, 4, 4, device=self._device)
        frames[:plain, 0, 2:] = side_px
        frames[plain:] = quarters(count - plain, side_px, rng, self._device)
        views = draw_views(self._bank, frames.flatten(0, 1), PLAIN if gentle else WILD, rng)
        pictures = look(self._bank, views.at(torch.arange(plain, device=self._device) * 4), side_px)
        if plain == count:
            return pictures, views
        mosaic = look(self._bank, views.at(slice(4 * plain, None)), side_px, layers=4)
        return Pictures(torch.cat([pictures.rgb, mosaic.rgb]), torch.cat([pictures.codes, mosaic.codes])), views

    def _with_pasted(
        self, pictures: Pictures, dice: Dice, rng: torch.Generator, *, gentle: bool
    ) -> tuple[Pictures, Views, Tensor]:
        """Paste holds into some samples; also the (B,) views of what was pasted, and (B, CODES) which holds that is."""
        side_px = pictures.codes.shape[-1]
        frames = torch.zeros(len(pictures.codes), 4, device=self._device)
        frames[:, 2:] = side_px
        views = draw_views(self._bank, frames, LOOSE, rng)
        chosen = dice.some(0.2 if gentle else PASTED_IN)
        over, share = look(self._bank, views.at(chosen), side_px), dice.among(chosen).uniform(0.05, 1)
        mixed, holds = paste(pictures.at(chosen), over, share, dice.among(chosen))
        pasted = torch.zeros(len(frames), CODES, dtype=torch.bool, device=self._device).index_copy(0, chosen, holds)
        return pictures.replaced(chosen, mixed), views, pasted

    def _labels(
        self, views: Views, pasted_views: Views, pasted: Tensor, seen: Tensor, side_px: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(B, LAYERS, N) which holds are labels, and their (..., 4) boxes and (...) kinds."""
        count = len(pasted)
        photo = torch.cat([views.photo.view(count, 4), pasted_views.photo[:, None]], 1)
        forth = torch.cat([views.forth.view(count, 4, 3, 3), pasted_views.forth[:, None]], 1)
        frame = torch.cat([views.frame_xyxy.view(count, 4, 4), pasted_views.frame_xyxy[:, None]], 1)
        kinds = self._bank.kinds[photo]
        whole = warp_boxes(self._bank.boxes_xyxy[photo].flatten(0, 1), forth.flatten(0, 1)).view(*kinds.shape, 4)
        low, high = frame[:, :, None, :2], frame[:, :, None, 2:]
        boxes = torch.cat([whole[..., :2].clamp(low, high), whole[..., 2:].clamp(low, high)], -1)
        sides, full = boxes[..., 2:] - boxes[..., :2], whole[..., 2:] - whole[..., :2]
        is_label = (kinds >= 0) & (sides.amin(-1) >= LEAST_SIDE_PX) & (sides.prod(-1) >= KEPT_SHARE * full.prod(-1))
        is_label &= seen.view(count, LAYERS, CODES)[:, :, 1:]
        is_label[:, PASTED] &= pasted[:, 1:]
        return is_label, boxes / side_px, kinds


def quarters(count: int, side_px: int, rng: torch.Generator, device: torch.device) -> Tensor:
    """(count, 4, 4) frames of four photos that meet in one point of the sample."""
    middle = side_px * (0.25 + 0.5 * torch.rand(count, 2, generator=rng, device=device))
    zero, side = torch.zeros_like(middle[:, 0]), torch.full_like(middle[:, 0], side_px)
    x, y = middle.unbind(-1)
    edges = [(zero, zero, x, y), (x, zero, side, y), (zero, y, x, side), (x, y, side, side)]
    return torch.stack([torch.stack(edge, -1) for edge in edges], 1)


def _labeled(image: Tensor, codes: Tensor, is_label: Tensor, boxes: Tensor, kinds: Tensor) -> Batch:
    picture, layer, hold = is_label.nonzero(as_tuple=True)
    chosen = boxes[picture, layer, hold]
    return Batch(
        images=image,
        codes=codes,
        picture=picture.float(),
        kinds=kinds[picture, layer, hold].float(),
        boxes=torch.cat([(chosen[:, :2] + chosen[:, 2:]) / 2, chosen[:, 2:] - chosen[:, :2]], 1),
        code=(layer * CODES + hold + 1).int(),
    )
