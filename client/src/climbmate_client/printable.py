"""Texts of others, as a file's name or what a server says, for a terminal that would obey their control characters."""


def printable(text: str) -> str:
    r"""Write what is not to be printed as an escape; a line stays one line.

    Example:
        >>> printable("벽 1\n\x1b[2J\udcff")
        '벽 1\\n\\x1b[2J\\udcff'
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def printable_lines(text: str) -> str:
    """The same, but for the ends of lines."""
    return "\n".join(map(printable, text.splitlines()))
