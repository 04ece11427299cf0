from climbmate_client.local.machine import machine

ZEN3 = """processor\t: 0
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC 7763 64-Core Processor
flags\t\t: fpu sse sse2 avx avx2 fma

processor\t: 1
model name\t: another
"""


def test_figures_name_the_processor_and_what_networks_use_of_it():
    told = machine(ZEN3)
    assert told.startswith("AMD EPYC 7763 64-Core Processor (family 25 model 1), AVX2, ")
    assert "AVX-512" not in told


def test_this_machine_is_told_with_its_cpus_kernel_and_huge_pages():
    assert all(word in machine() for word in ("CPUs", "Linux", "huge pages"))
