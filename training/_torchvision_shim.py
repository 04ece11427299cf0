"""Lets torchvision import where its compiled operators do not load (a CPU-only torch beside a CUDA-built torchvision).

torchvision registers shape functions for `torchvision::nms` at import and refuses to import when the operator does not
exist. `install()` declares the two operators that are needed, gives `nms` a CPU implementation, and turns off the check
that the compiled extension is there. Where the extension does load, nothing is touched.
"""

import torch


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression; the contract of `torchvision.ops.nms`.

    Args:
        boxes: (N, 4) x_min y_min x_max y_max. N may be 0.
        scores: (N,) any order.
        iou_threshold: a box is dropped when its IoU with a kept, better one is above this.

    Returns:
        int64 indices of the kept boxes, best score first.
    """
    order = scores.argsort(descending=True, stable=True)
    ordered = boxes[order].float()
    area = (ordered[:, 2] - ordered[:, 0]) * (ordered[:, 3] - ordered[:, 1])
    alive = torch.ones(len(ordered), dtype=torch.bool)
    keep = []
    for i in range(len(ordered)):
        if not alive[i]:
            continue
        keep.append(i)
        low = torch.maximum(ordered[i, :2], ordered[i + 1 :, :2])
        high = torch.minimum(ordered[i, 2:], ordered[i + 1 :, 2:])
        overlap = (high - low).clamp_(min=0).prod(dim=1)
        alive[i + 1 :] &= overlap <= iou_threshold * (area[i] + area[i + 1 :] - overlap)
    return order[torch.tensor(keep, dtype=torch.int64)]


def _operators_load() -> bool:
    try:
        import torchvision  # noqa: F401, PLC0415
    except RuntimeError:  # "operator torchvision::nms does not exist"
        return False
    return True


def install() -> None:
    """Make `import torchvision` and `torchvision.ops.nms` work on this machine; safe to call more than once."""
    if hasattr(torch.ops.torchvision, "nms") or _operators_load():
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    _KEPT.append(library)
    import torchvision.extension  # noqa: PLC0415
    import torchvision.ops.boxes  # noqa: PLC0415

    torchvision.extension._assert_has_ops = lambda: None  # noqa: SLF001
    torchvision.ops.boxes._assert_has_ops = lambda: None  # noqa: SLF001


_KEPT: list[torch.library.Library] = []  # a library's registrations end with the object
