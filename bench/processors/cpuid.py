"""Answers the CPUID instructions of this process with bits cleared.

The kernel turns each one into SIGSEGV (arch_prctl's ARCH_SET_CPUID, "CPUID faulting"); the handler puts the answer into
the registers and steps over the instruction. Threads that start later inherit it, programs that are executed do not.
"""

import ctypes
import mmap
import os
from collections.abc import Mapping

from bench.processors.instruction_sets import Register

_ARCH_PRCTL, _SET_CPUID = 158, 0x1012  # of the system call table of x86-64, and of arch_prctl(2)
_SIGSEGV, _SA_SIGINFO, _SA_NODEFER = 11, 4, 0x40000000
_CPUID = b"\x0f\xa2"
_REGISTERS = 40  # bytes before the general registers in ucontext_t
_RBX, _RDX, _RAX, _RCX, _RIP = 11, 12, 13, 14, 16  # their places in gregs
_EXIT_CODE = 139  # of a process that ends by SIGSEGV
# void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t answer[4]):
# push rbx; mov eax, edi; mov ecx, esi; mov r8, rdx; cpuid; mov [r8], eax; mov [r8+4], ebx; mov [r8+8], ecx;
# mov [r8+12], edx; pop rbx; ret
_CODE = bytes.fromhex("53 89f8 89f1 4989d0 0fa2 418900 41895804 41894808 4189500c 5b c3")

Answer = tuple[int, int, int, int]
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _SigAction(ctypes.Structure):
    _fields_ = (
        ("handler", _Handler),
        ("mask", ctypes.c_ulong * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class Cpuid:
    """The processor's answers, with bits cleared; takes effect at once and until the process ends.

    Args:
        hidden: Bits to clear, by leaf, subleaf and register.

    Raises:
        OSError: The kernel or the processor cannot do it.
    """

    def __init__(self, hidden: Mapping[Register, tuple[int, ...]]) -> None:
        self._hidden = hidden
        self._known: dict[tuple[int, int], Answer] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._page.write(_CODE)
        place = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        self._ask = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)(place)
        self._action = _SigAction(handler=_Handler(self._answer), flags=_SA_SIGINFO | _SA_NODEFER)
        if self._libc.sigaction(_SIGSEGV, ctypes.byref(self._action), None):
            raise OSError(ctypes.get_errno(), "SIGSEGV cannot be handled")
        if self._fault(on=True):
            raise OSError(ctypes.get_errno(), "CPUID cannot be answered by the process")

    def _fault(self, *, on: bool) -> int:
        status: int = self._libc.syscall(_ARCH_PRCTL, _SET_CPUID, 0 if on else 1)
        return status

    def _answer(self, _signal: int, _info: int, context: int) -> None:
        """Handle SIGSEGV."""
        registers = (ctypes.c_uint64 * (_RIP + 1)).from_address(context + _REGISTERS)
        if ctypes.string_at(registers[_RIP], len(_CPUID)) != _CPUID:
            os.write(2, b"segmentation fault\n")
            os._exit(_EXIT_CODE)
        leaf, subleaf = (registers[place] & 0xFFFFFFFF for place in (_RAX, _RCX))
        for place, value in zip((_RAX, _RBX, _RCX, _RDX), self._told(leaf, subleaf), strict=True):
            registers[place] = value
        registers[_RIP] += len(_CPUID)

    def _told(self, leaf: int, subleaf: int) -> Answer:
        if (leaf, subleaf) not in self._known:
            real = (ctypes.c_uint32 * 4)()
            self._fault(on=False)
            self._ask(leaf, subleaf, ctypes.byref(real))
            self._fault(on=True)
            told = [value & ~self._mask(leaf, subleaf, register) for register, value in enumerate(real)]
            self._known[leaf, subleaf] = (told[0], told[1], told[2], told[3])
        return self._known[leaf, subleaf]

    def _mask(self, leaf: int, subleaf: int, register: int) -> int:
        return sum(1 << bit for bit in self._hidden.get((leaf, subleaf, register), ()))
