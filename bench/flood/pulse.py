"""Asks `/livez` again and again from a process of its own: `python -m bench.flood.pulse URL`; ends with its input.

Prints the milliseconds of each answer as JSON; -1 for one that failed or took longer than 5 s.
"""

import json
import sys
import threading
import time

import httpx

_EVERY_S = 0.1
_LIMIT_S = 5.0


def main() -> None:
    """Measure until standard input is closed."""
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    took_ms = []
    with httpx.Client(base_url=sys.argv[1], timeout=_LIMIT_S, trust_env=False) as http:
        while not ended.wait(_EVERY_S):
            start_s = time.perf_counter()
            try:
                alive = http.get("/livez").is_success
            except httpx.HTTPError:
                alive = False
            took_ms.append(round(1000 * (time.perf_counter() - start_s), 2) if alive else -1)
    print(json.dumps(took_ms))


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main()
