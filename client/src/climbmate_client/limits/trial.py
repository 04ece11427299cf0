"""Whether a service survives a limit: started in a real cgroup, with the worst photos from several clients at once."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from climbmate_client.errors import ClimbmateError, RefusedError
from climbmate_client.http import Client
from climbmate_client.limits.photos import WorstPhoto
from climbmate_client.local import ANEW, LocalStack, StartFailed

_ANSWER_LIMIT_S = 60.0
_WELL = "OK"
_LATER = ("OVERLOADED", "DEADLINE_EXCEEDED", "Unreachable")
"""How a photo may end in a crowd; the last is a refusal that came while it was still being sent."""
_TOO_SMALL = {"is too small: loaded": "does not start", "was killed by signal 9": "killed for memory"}
"""What a service that did not start says, or what is said of it, when memory was the reason."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a service has to survive.

    Attributes:
        photos: Each has to be answered at least once, and refused for load or time at worst otherwise.
        clients: How many send at once.
        rounds: How often each photo is sent.
    """

    photos: Sequence[WorstPhoto]
    clients: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One attempt: all services' settings, which one has which limit, and what else is in its environment."""

    service: str
    limit_bytes: int
    settings: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str] = field(default_factory=dict)


def survives(trial: Trial, load: Load) -> str:
    """Try it; gives why the service did not survive, or nothing when it did.

    Raises:
        StartFailed: The services did not start, for another reason than memory.
    """
    limits = {trial.service: trial.limit_bytes}
    try:
        with LocalStack(
            own_settings={**ANEW, **trial.environment},
            service_settings=trial.settings,
            memory_limits_bytes=limits,
            start_limit_s=120,
        ) as stack:
            ends = _sent(stack.url, load)
            if stack.cgroups[trial.service].oom_kills:
                return "killed for memory"
            if not stack.processes[trial.service].running:
                return "ended"
    except StartFailed as error:
        why = next((told for sign, told in _TOO_SMALL.items() if sign in str(error)), None)
        if why is None:
            raise
        return why
    return _judged(ends)


def _sent(url: str, load: Load) -> dict[str, list[str]]:
    """How every request ended, by photo: `OK`, an error's code, or what else went wrong."""
    work = [photo for _ in range(load.rounds) for photo in load.photos]

    def send(photo: WorstPhoto) -> tuple[str, str]:
        with Client(url, timeout_s=_ANSWER_LIMIT_S) as climbmate:
            try:
                climbmate.analyze(
                    photo.content, max_holds=photo.max_holds, min_confidence=0.05, palette=photo.palette or None
                )
            except RefusedError as error:
                return photo.name, error.code
            except ClimbmateError as error:
                return photo.name, type(error).__name__
        return photo.name, _WELL

    ends: dict[str, list[str]] = {photo.name: [] for photo in load.photos}
    with ThreadPoolExecutor(load.clients) as pool:
        for name, end in pool.map(send, work):
            ends[name].append(end)
    return ends


def _judged(ends: Mapping[str, Sequence[str]]) -> str:
    for name, outcomes in ends.items():
        others = {end for end in outcomes if end not in (_WELL, *_LATER)}
        if others:
            return f"{name}: {', '.join(sorted(others))}"
        if _WELL not in outcomes:
            return f"{name} is never answered"
    return ""
