"""`climbmate limits`: the smallest memory limit that each service survives, measured."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import click

from climbmate_client.cli.exits import explained
from climbmate_client.errors import ClimbmateError
from climbmate_client.limits.photos import worst_photos
from climbmate_client.limits.profiles import Profile
from climbmate_client.limits.search import MIB, Found, NoLimitIsEnough, smallest
from climbmate_client.limits.trial import Load, Trial, survives
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.local.machine import machine
from climbmate_client.local.stack import SERVICES
from climbmate_client.settings import models_dir

_LOW_BYTES, _HIGH_BYTES = 32 * MIB, 544 * MIB
_NEAR_BYTES = 32 * MIB  # to both sides of the limit that a profile has, where the new one is looked for first


@click.command()
@click.option("--profile", "name", type=click.Choice(["small", "standard"]), default="small", show_default=True)
@click.option("--service", "services", multiple=True, type=click.Choice(SERVICES), help="Only this one; repeatable.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the services; repeatable.")
@click.option("--clients", type=click.IntRange(1, 256), default=64, show_default=True, help="Clients at once.")
@click.option("--rounds", type=click.IntRange(1, 100), default=8, show_default=True, help="Times each photo is sent.")
@click.option("--write", is_flag=True, help="Write the limits into the clone's manifests and docs/memory.md.")
def limits(
    *,
    name: str,
    services: tuple[str, ...],
    settings: tuple[str, ...],
    clients: int,
    rounds: int,
    write: bool,
) -> None:
    """Find the smallest memory limit that each service survives.

    Every service is started again and again in a memory cgroup with another limit, with the settings of a profile of
    the manifests, while clients send the worst photos that have to be answered: walls of hundreds of holds, also in
    colors of one's own, 50 megapixels, the largest files, progressive JPEG, PNG, WebP. The table has the smallest limit
    survived and the one to give: 5 % more. Needs root, for cgroups, and a clone.
    """
    with explained():
        if not MemoryCgroup.available():
            raise ClimbmateError("This needs root and memory cgroups that can be written to.")
        root = _clone()
        profile = Profile(root, name)
        load = Load(worst_photos(root / "assets" / "sample-wall.jpg"), clients, rounds)
        found = {
            service: _searched(service, _with(profile.settings(), settings), load, profile.limits().get(service, 0))
            for service in (services or SERVICES)
        }
        table = f"{_table(found)}\n\n{machine()}"
        click.echo(table)
        if write:
            profile.write_table(root / "docs" / "memory.md", table)
            for file in profile.write({service: each.limit_bytes for service, each in found.items()}):
                click.echo(f"Wrote {file.relative_to(root)}", err=True)


def _clone() -> Path:
    models = models_dir()
    if models is None or not (models.parent / "compose.yaml").is_file():
        raise ClimbmateError("Run this in a clone of climbmate: it needs the manifests and the sample photo.")
    return models.parent


def _with(settings: Mapping[str, Mapping[str, str]], given: tuple[str, ...]) -> dict[str, dict[str, str]]:
    own = dict(pair.partition("=")[::2] for pair in given)
    return {service: {**told, **own} for service, told in settings.items()}


def _searched(service: str, settings: Mapping[str, Mapping[str, str]], load: Load, present_bytes: int) -> Found:
    """Look near the present limit first: the search is twice as long over the whole range."""

    def tried(limit_bytes: int) -> str:
        why_not = survives(Trial(service, limit_bytes, settings), load)
        click.echo(f"{service} within {limit_bytes // MIB} MiB: {why_not or 'survives'}", err=True)
        return why_not

    near = (present_bytes - _NEAR_BYTES, present_bytes + _NEAR_BYTES)
    try:
        with contextlib.suppress(NoLimitIsEnough):
            found = smallest(tried, low_bytes=near[0], high_bytes=near[1])
            if found.why_not_less:  # else all of the range was enough
                return found
        return smallest(tried, low_bytes=_LOW_BYTES, high_bytes=_HIGH_BYTES)
    except NoLimitIsEnough as error:
        raise ClimbmateError(f"{service} does not survive {_HIGH_BYTES // MIB} MiB: {error}.") from None


def _table(found: Mapping[str, Found]) -> str:
    lines = ["| Service | smallest MiB survived | limit to give, MiB | one step less |", "|---|---:|---:|---|"]
    for service, each in found.items():
        sizes = (each.smallest_bytes // MIB, each.limit_bytes // MIB)
        lines.append(f"| {service} | {sizes[0]} | {sizes[1]} | {each.why_not_less} |")
    total = sum(each.limit_bytes for each in found.values())
    lines.append(f"| sum | | {total // MIB} ({total / 1e6:.0f} MB) | |")
    return "\n".join(lines)
