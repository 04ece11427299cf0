"""Which photos are HEIC, told by the first bytes: one list for who passes a photo on and who decodes it."""

HEAD_BYTES = 256
"""How many of a photo's first bytes tell its format."""

_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})  # HEVC stills; no AVIF
_GENERIC_BRANDS = frozenset(
    {b"mif1", b"mif2", b"msf1"}
)  # any codec, or a sequence with a still: see the compatible ones
_COMPATIBLE_FROM = 16  # after the box's size and name, the major brand and its version


def is_heic(head: bytes) -> bool:
    r"""Whether a file with these first `HEAD_BYTES` bytes (or all that it has) is a HEIC photo (ISO/IEC 23008-12).

    Example:
        >>> is_heic(b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00heic")
        True
        >>> is_heic(b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00avif")
        False
    """
    if head[4:8] != b"ftyp":
        return False
    if head[8:12] in _STILL_BRANDS:
        return True
    end = min(int.from_bytes(head[:4], "big"), HEAD_BYTES)
    compatible = {head[start : start + 4] for start in range(_COMPATIBLE_FROM, end, 4)}
    return head[8:12] in _GENERIC_BRANDS and not compatible.isdisjoint(_STILL_BRANDS)
