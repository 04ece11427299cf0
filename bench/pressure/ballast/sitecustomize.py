"""Read by Python at its start when this folder is on its path: memory that no budget knows of appears after the start.

`BALLAST_MB` says how much, and `BALLAST_STEPS=0` switches the steps under pressure off, as the control.
"""  # noqa: INP001 - a folder for the path

import os
import threading

from servicekit import pressure

_HELD: list[bytes] = []
_AFTER_S = 1.0


def _hold() -> None:
    _HELD.append(b"\1" * int(float(os.environ["BALLAST_MB"]) * 1e6))


if "BALLAST_MB" in os.environ:  # not for the processes that this folder is on the path of by inheritance
    timer = threading.Timer(_AFTER_S, _hold)
    timer.daemon = True
    timer.start()
    if os.environ.get("BALLAST_STEPS") == "0":
        pressure.TIGHT = pressure.CRITICAL = float("inf")
