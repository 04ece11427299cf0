"""Colors of one's own to name holds by."""

from collections.abc import Mapping, Sequence

Palette = Mapping[str, str] | Sequence[str]
"""Names, or names with what to look for in words; or one text of both, as the HTTP API takes it."""


def as_text(palette: Palette | None) -> str | None:
    """Write a palette as the HTTP API takes it.

    Example:
        >>> as_text({"mint": "", "wood": "a hold of bare wood"})
        'mint,wood:a hold of bare wood'

    Raises:
        ValueError: A name or its words have a comma, or a name has a colon: these cannot be written.
    """
    if palette is None or isinstance(palette, str):
        return palette
    if not isinstance(palette, Mapping):
        return ",".join(map(_unbroken, palette))
    if any(":" in name for name in palette):
        raise ValueError(f"a name with a colon cannot be written: {', '.join(palette)}")
    return ",".join(_unbroken(f"{name}:{words}" if words else name) for name, words in palette.items())


def as_pairs(palette: Palette | None) -> list[tuple[str, str]]:
    """Give each name with its words, which may be empty.

    Example:
        >>> as_pairs("mint, wood: a hold of bare wood")
        [('mint', ''), ('wood', 'a hold of bare wood')]
    """
    if isinstance(palette, Mapping):
        return list(palette.items())
    if isinstance(palette, str):
        palette = palette.split(",") if palette.strip() else ()
    parts = (color.partition(":") for color in palette or ())
    return [(name.strip(), words.strip()) for name, _, words in parts]


def _unbroken(color: str) -> str:
    if "," in color:
        raise ValueError(f"a color with a comma cannot be written: {color}")
    return color
