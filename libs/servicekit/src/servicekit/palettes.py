"""What a caller's palette of colors may be; the gateway checks it before any work, the colorizer whoever calls."""

from collections.abc import Sequence

from servicekit.errors import InvalidParameter

MAX_COLORS = 64
MAX_NAME_CHARS = 40
MAX_PROMPT_CHARS = 200
_TAKEN = "unknown"


def check(names: Sequence[str], prompts: Sequence[str]) -> None:
    """Refuse a palette that cannot be used.

    Args:
        names: What answers are to call the colors; may be empty, which is no palette.
        prompts: A text for each name, or "".

    Raises:
        InvalidParameter: Too many colors, or a name or text that is no good; `details` says which.
    """
    if len(names) > MAX_COLORS:
        raise _refused(f"{len(names)} colors, at most {MAX_COLORS} are allowed")
    for name in names:
        if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable() or name != name.strip():
            raise _refused(f"the name {name[:MAX_NAME_CHARS]!r} is not 1 to {MAX_NAME_CHARS} printable characters")
        if name == _TAKEN:
            raise _refused(f"{_TAKEN!r} is what holds without a color are called")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _refused(f"the name {twice!r} occurs more than once")
    for prompt in prompts:
        if len(prompt) > MAX_PROMPT_CHARS:
            raise _refused(f"the prompt {prompt[:MAX_NAME_CHARS]!r}... has more than {MAX_PROMPT_CHARS} characters")


def _refused(problem: str) -> InvalidParameter:
    return InvalidParameter("The palette cannot be used.", details={"palette": problem})
