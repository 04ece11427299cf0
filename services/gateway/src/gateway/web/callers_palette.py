"""A caller's palette as the query's parameter writes it."""

from servicekit import palettes

from gateway.domain import CallersPalette, ColorPrompt


def parse(written: str) -> CallersPalette:
    """Read `red,neon yellow,wood:a hold of bare wood`; spaces around names and words do not count, "" is no palette.

    Raises:
        InvalidParameter: It cannot be used.
    """
    if not written.strip():
        return ()
    pairs = [color.partition(":") for color in written.split(",")]
    colors = tuple(ColorPrompt(name.strip(), prompt.strip()) for name, _, prompt in pairs)
    palettes.check([color.name for color in colors], [color.prompt for color in colors])
    return colors
