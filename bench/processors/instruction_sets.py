"""Instruction sets by which ONNX Runtime, OpenCV and NumPy choose their kernels, each without the newer ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
VARIABLE = "HIDE_INSTRUCTIONS"
EAX, EBX, ECX, EDX = range(4)

Register = tuple[int, int, int]
"""Leaf, subleaf and register of CPUID's answer."""

_AMX_AND_FP16 = {(7, 0, EDX): (22, 23, 24, 25), (7, 1, EAX): (21,)}
_VNNI = {(7, 0, ECX): (11,), (7, 1, EAX): (4,), (7, 1, EDX): (4, 5, 10)}
_AVX512 = {
    (7, 0, EBX): (16, 17, 21, 26, 27, 28, 30, 31),
    (7, 0, ECX): (1, 6, 12, 14),
    (7, 0, EDX): (2, 3, 8),
    (7, 1, EAX): (5,),
    (7, 1, EDX): (19,),
}
_AVX = {(1, 0, ECX): (12, 28, 29), (7, 0, EBX): (3, 5, 8), (7, 0, ECX): (9, 10)}


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """What a kind of processor can do.

    Attributes:
        name: Its newest extension.
        like: A processor of this kind.
        hidden: Bits of CPUID that are cleared, by register.
    """

    name: str
    like: str
    hidden: Mapping[Register, tuple[int, ...]]


def _without(*parts: Mapping[Register, tuple[int, ...]]) -> dict[Register, tuple[int, ...]]:
    return {register: sum((part.get(register, ()) for part in parts), ()) for part in parts for register in part}


INSTRUCTION_SETS = {
    each.name: each
    for each in (
        InstructionSet("avx512-vnni", "Ice Lake, Zen 4", _without(_AMX_AND_FP16)),
        InstructionSet("avx512", "Skylake", _without(_AMX_AND_FP16, _VNNI)),
        InstructionSet("avx2", "Haswell, Zen 3", _without(_AMX_AND_FP16, _VNNI, _AVX512)),
        InstructionSet("sse4", "Nehalem", _without(_AMX_AND_FP16, _VNNI, _AVX512, _AVX)),
    )
}


def hiding(name: str) -> dict[str, str]:
    """Give the environment in which a Python process sees no more than the instruction set `name`."""
    return {VARIABLE: name, "PYTHONPATH": f"{_HERE / 'hidden'}:{_HERE.parents[1]}"}


def can_hide() -> bool:
    """Whether this machine lets a process answer its own CPUID instructions: Linux on x86-64, with `cpuid_fault`."""
    return "cpuid_fault" in Path("/proc/cpuinfo").read_text()
