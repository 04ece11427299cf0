"""The small profile: each service's memory limit and settings as compose.yaml has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

_COMPOSE = Path(__file__).parents[1] / "compose.yaml"
_OR_DEFAULT = re.compile(r"\$\{[A-Z_]+:-(.*)\}")
_UNITS = {"m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True, slots=True)
class Profile:
    """What the operator gives the services.

    Attributes:
        limits_bytes: Memory limit by service.
        settings: What each is told, by service and variable.
    """

    limits_bytes: dict[str, int]
    settings: dict[str, dict[str, str]]


def small_profile() -> Profile:
    """Read the profile."""
    services = yaml.safe_load(_COMPOSE.read_text())["services"]
    limits = {name: _bytes(service["mem_limit"]) for name, service in services.items()}
    given = {name: given_settings(service["environment"]) for name, service in services.items()}
    return Profile(limits, {service: _anywhere(settings) for service, settings in given.items()})


def given_settings(environment: Mapping[str, str | None]) -> dict[str, str]:
    """Give what a service of compose.yaml is told where neither the shell nor an .env file says anything.

    Example:
        >>> given_settings({"LOG_LEVEL": None, "INBOX_MB": "${INBOX_MB:-34}", "MAX_HOLDS": "300"})
        {'INBOX_MB': '34', 'MAX_HOLDS': '300'}
    """
    return {name: _OR_DEFAULT.sub(r"\1", value) for name, value in environment.items() if value is not None}


def _anywhere(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that hold outside of compose's networks as well."""
    return {name: value for name, value in settings.items() if not name.endswith("_TARGET")}


def _bytes(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]
