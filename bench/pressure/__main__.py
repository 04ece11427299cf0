"""How much unpredicted memory the services survive, with the steps under pressure and without: `make pressure`.

A detector or a colorizer within its limit of the small profile holds more and more memory that no prediction knew of,
in steps of 8 MB, while eight clients send photos. Prints the most that it survived: nobody killed, every photo
answered or refused as OVERLOADED or too late, some answered. Needs root for cgroups.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from climbmate_client.local import ANEW, LocalStack, StartFailed

from bench.figures import add_write_option, tell
from bench.flood.mix import Upload, crowded_wall, good_uploads
from bench.flood.run import Plan, clients
from bench.profile import small_profile

_BALLAST = str(Path(__file__).parent / "ballast")
_STEP_MB = 8
_CLIENTS = 8
_SETTLE_S = 2.0
_WELL = ("200", "503", "504")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a service had to hold beside its work."""

    service: str
    ballast_mb: int
    steps: bool
    degrade: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """Variables of the service."""
        own = {"PYTHONPATH": _BALLAST, "BALLAST_MB": str(self.ballast_mb), "BALLAST_STEPS": str(int(self.steps))}
        return {**own, "DEGRADE": "1"} if self.degrade else own


@dataclass(frozen=True, slots=True)
class Survival:
    """How a trial went."""

    survived: bool
    answered: int
    degraded: int


def survives(trial: Trial, seconds: float) -> Survival:
    """Start the services, one with ballast, and send it photos."""
    profile = small_profile()
    settings = {**profile.settings, trial.service: {**profile.settings[trial.service], **trial.settings}}
    limits = {trial.service: profile.limits_bytes[trial.service]}
    try:
        with LocalStack(own_settings=ANEW, service_settings=settings, memory_limits_bytes=limits) as stack:
            time.sleep(_SETTLE_S)
            outcomes = asyncio.run(clients(stack.url, _uploads(), Plan(seconds, _CLIENTS)))
            cgroup, process = stack.cgroups[trial.service], stack.processes[trial.service]
            alive = process.running and not cgroup.oom_kills
    except StartFailed:
        return Survival(survived=False, answered=0, degraded=0)
    answered = [outcome for outcome in outcomes if outcome.status == "200"]
    well = alive and bool(answered) and all(outcome.status in _WELL for outcome in outcomes)
    return Survival(well, len(answered), sum(outcome.degraded for outcome in answered))


def most_survived(trial: Trial, seconds: float, most_mb: int) -> tuple[int, Survival]:
    """Bisect the ballast; the most that the service survives, and how it did with that."""
    low, high, best = -1, most_mb // _STEP_MB, Survival(survived=False, answered=0, degraded=0)
    while high - low > 1:
        middle = (low + high) // 2
        found = survives(replace(trial, ballast_mb=middle * _STEP_MB), seconds)
        sys.stderr.write(f"{trial.service} with {middle * _STEP_MB} MB, steps {trial.steps}: {found}\n")
        low, high = (middle, high) if found.survived else (low, middle)
        best = found if found.survived else best
    return low * _STEP_MB, best


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    add_write_option(parser)
    parser.add_argument("services", nargs="*", default=["detector", "colorizer"])
    args = parser.parse_args()
    limits = small_profile().limits_bytes
    rows = []
    for service in args.services:
        for name, steps, degrade in (("off", False, False), ("on", True, False), ("on, `DEGRADE=1`", True, True)):
            if service == "detector" or not degrade:
                most_mb, how = most_survived(
                    Trial(service, 0, steps, degrade), args.seconds, limits[service] // (2 * 10**6)
                )
                rows.append(f"| {service} | {name} | {most_mb} | {how.answered} | {how.degraded} |")
    head = "| Service | Steps | most unpredicted MB survived | photos answered with that | of these degraded |"
    tell("\n".join([head, "|---|---|---:|---:|---:|", *rows]), "make pressure", write=args.write)


def _uploads() -> list[Upload]:
    return [*good_uploads(), Upload("wall of 300 holds", crowded_wall(), 6, "?max_holds=300&min_confidence=0.05")]


if __name__ == "__main__":
    main()
