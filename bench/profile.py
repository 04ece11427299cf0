"""The small profile: each service's memory limit and settings as compose.yaml has them."""

from dataclasses import dataclass
from pathlib import Path

import yaml

_COMPOSE = Path(__file__).parents[1] / "compose.yaml"
_UNITS = {"m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True, slots=True)
class Profile:
    """What the operator gives the services.

    Attributes:
        limits_bytes: Memory limit by service.
        settings: What all of them are told, by variable.
    """

    limits_bytes: dict[str, int]
    settings: dict[str, str]


def small_profile() -> Profile:
    """Read the profile."""
    services = yaml.safe_load(_COMPOSE.read_text())["services"]
    limits = {name: _bytes(service["mem_limit"]) for name, service in services.items()}
    given = [entry.split("=", 1) for service in services.values() for entry in service["environment"] if "=" in entry]
    return Profile(limits, {name: value for name, value in given if not name.endswith("_TARGET")})


def _bytes(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]
