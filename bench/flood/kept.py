"""What the gateway keeps on purpose, by its own metric."""

import httpx

METRIC = "climbmate_result_bytes"


def kept_bytes(url: str) -> int:
    """Bytes of results that may be asked for again, at most GATEWAY_RESULTS_MB; 0 where the gateway does not answer.

    Raises:
        LookupError: It tells, but has no such metric.
    """
    try:
        lines = httpx.get(f"{url}/metrics", timeout=10, trust_env=False).text.splitlines()
    except httpx.TransportError:
        return 0
    found = [float(line.split()[1]) for line in lines if line.startswith(f"{METRIC} ")]
    if not found:
        raise LookupError(METRIC)
    return int(found[0])
