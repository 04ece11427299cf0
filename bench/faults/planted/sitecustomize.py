"""Read by Python at its start when this folder is on its path: a function that raises, as a bug would.

`PLANTED_BUG` names it as `module:function`, `PLANTED_CALLS` which of its calls raise, for example `1:5` for the second
to the fifth: the first is the warm-up's.
"""  # noqa: INP001 - a folder for the path

import importlib
import itertools
import os
from collections.abc import Callable
from typing import Any

_BUG = os.environ.get("PLANTED_BUG", "")


def _plant(module_name: str, name: str, failing: range) -> None:
    module = importlib.import_module(module_name)
    works: Callable[..., Any] = getattr(module, name)
    calls = itertools.count()

    def raises(*args: object, **options: object) -> object:
        if next(calls) in failing:
            raise RuntimeError("planted")
        return works(*args, **options)

    setattr(module, name, raises)


if _BUG:
    _module, _name = _BUG.split(":")
    _plant(_module, _name, range(*map(int, os.environ["PLANTED_CALLS"].split(":"))))
