"""Read by Python at its start when this folder is on its path: every request leaves a kilobyte behind."""  # noqa: INP001 - a folder for the path

from servicekit import receipts
from servicekit.receipts import Meter

_LEAK_BYTES = 1024
_KEPT: list[bytes] = []


class _LeakingReceipt(receipts.Receipt):
    def __init__(self, request_id: str, meter: Meter) -> None:
        super().__init__(request_id, meter)
        _KEPT.append(b"\1" * _LEAK_BYTES)


vars(receipts)["Receipt"] = _LeakingReceipt
