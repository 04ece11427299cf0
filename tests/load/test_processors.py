"""Instructions are hidden from a process that runs at full speed."""

import itertools
import os
import subprocess
import sys

import pytest

from bench.processors.instruction_sets import INSTRUCTION_SETS, can_hide, hiding

pytestmark = pytest.mark.skipif(not can_hide(), reason="optional: an x86-64 machine with CPUID faulting")

SEEN = "import numpy; print(*numpy.show_config(mode='dicts')['SIMD Extensions'].get('found', []))"


def seen(environment):
    """What NumPy finds: X86_V3 is AVX2, X86_V4 is AVX-512, AVX512_ICL is that with VNNI."""
    command = [sys.executable, "-c", SEEN]
    done = subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("avx512-vnni", {"X86_V3", "X86_V4", "AVX512_ICL"}),
        ("avx512", {"X86_V3", "X86_V4"}),
        ("avx2", {"X86_V3"}),
        ("sse4", set()),
    ],
)
def test_a_process_sees_no_more_than_the_instruction_set(name, left):
    assert seen(hiding(name)) == seen({}) & left


def test_each_set_hides_all_that_the_one_before_it_hides():
    bits = [
        {(register, bit) for register, places in each.hidden.items() for bit in places}
        for each in INSTRUCTION_SETS.values()
    ]
    assert all(one < other for one, other in itertools.pairwise(bits))
