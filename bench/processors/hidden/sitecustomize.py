"""Read by Python at its start when this folder is on its path: hides instructions before any library looks."""  # noqa: INP001 - a folder for the path

import os

from bench.processors.cpuid import Cpuid
from bench.processors.instruction_sets import INSTRUCTION_SETS, VARIABLE

hidden = Cpuid(INSTRUCTION_SETS[os.environ[VARIABLE]].hidden)
