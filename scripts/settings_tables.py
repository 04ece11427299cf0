"""Write the tables of settings in docs/operations.md from the settings structs themselves.

`settings_tables.py` rewrites the document; `settings_tables.py --check` exits with 1 when that would change it.
"""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import msgspec
from servicekit.settings import ServiceSettings

DOCUMENT = Path(__file__).parents[1] / "docs" / "operations.md"
_SECTION = re.compile(r"(<!-- settings of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "| Variable | Default | Allowed | Meaning |\n|---|---|---|---|\n"
_BOUNDS = {"ge": "≥ {:g}", "gt": "> {:g}", "le": "≤ {:g}", "lt": "< {:g}"}


def table(struct: type[ServiceSettings]) -> str:
    """The Markdown table of the fields that a struct adds to those of its base."""
    return _HEAD + "".join(_rows(struct))


def _rows(struct: type[ServiceSettings]) -> Iterator[str]:
    hints = get_type_hints(struct, include_extras=True)
    meanings = _meanings(struct)
    for field in msgspec.structs.fields(struct):
        if field.name in meanings:
            default = f"`{field.default}`" if field.default != "" else "none"
            allowed = _allowed(hints[field.name])
            yield f"| `{field.encode_name.upper()}` | {default} | {allowed} | {meanings[field.name]} |\n"


def _meanings(struct: type[ServiceSettings]) -> dict[str, str]:
    """The docstrings of the fields that stand in the struct's own body, each on one line."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - for the type checker
    meanings = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            meanings[field.target.id] = " ".join(ast.literal_eval(text.value).split()).replace("|", "\\|")
    return meanings


def _allowed(hint: object) -> str:
    """A field's bounds for people; a choice of values stands for itself, and other patterns are told in the meaning."""
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is not Annotated:
        return ""
    bounds = []
    for meta in get_args(hint)[1:]:
        bounds += [
            text.format(getattr(meta, name)) for name, text in _BOUNDS.items() if getattr(meta, name) is not None
        ]
        choice = re.fullmatch(r"\^\(([\w|]+)\)\$", meta.pattern or "")
        if choice:
            bounds.append(", ".join(f"`{word}`" for word in choice[1].split("|")))
    return ", ".join(bounds)


def _struct(service: str) -> type[ServiceSettings]:
    if service == "every":
        return ServiceSettings
    module = importlib.import_module(f"{service}.settings")
    kinds = [value for value in vars(module).values() if isinstance(value, type)]
    (own,) = [kind for kind in kinds if issubclass(kind, ServiceSettings) and kind is not ServiceSettings]
    return own


def main() -> int:
    """Rewrite or check the document; the exit code."""
    old = DOCUMENT.read_text()
    new = _SECTION.sub(lambda section: f"{section[1]}{table(_struct(section[2]))}{section[3]}", old)
    if "--check" in sys.argv:
        return int(new != old)
    DOCUMENT.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
