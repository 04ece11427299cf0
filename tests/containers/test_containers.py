"""The three images under the memory limits of compose.yaml, with a read-only root (make test-containers)."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SERVICES = ["detector", "colorizer", "gateway"]
SAMPLE = Path(__file__).parents[2] / "assets/sample-wall.jpg"
MI = 1024 * 1024


@pytest.fixture(scope="module")
def climbmate(run_service):
    """All three services, serving."""
    with ExitStack() as stack:
        detector = stack.enter_context(run_service("detector"))
        colorizer = stack.enter_context(run_service("colorizer"))
        targets = {"GATEWAY_DETECTOR_TARGET": detector.grpc, "GATEWAY_COLORIZER_TARGET": colorizer.grpc}
        gateway = stack.enter_context(run_service("gateway", **targets))
        containers = {"detector": detector, "colorizer": colorizer, "gateway": gateway}
        for container in containers.values():
            container.wait_until_it_serves()
        yield containers


@pytest.fixture(scope="module")
def analyze(climbmate):
    """Sends a JPEG to the gateway's container."""
    url = f"http://{climbmate['gateway'].http}/api/analyze"

    def send(photo):
        request = urllib.request.Request(url, data=photo, headers={"Content-Type": "image/jpeg"})
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    return send


@pytest.fixture(scope="module")
def answer(analyze):
    """What the containers say to the sample photo."""
    return analyze(SAMPLE.read_bytes())


def test_the_sample_photo_gets_its_holds_colors_and_problems(answer):
    assert answer["degraded"] == []
    assert len(answer["holds"]) >= 20
    assert len({hold["color"]["name"] for hold in answer["holds"]}) >= 3
    assert answer["problems"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_its_memory_limit_and_stays_within_it(climbmate, answer, compose, service, figures):
    memory, peak_bytes = climbmate[service].memory(), climbmate[service].peak_bytes()
    seen = (memory.floor_bytes, memory.used_bytes, peak_bytes, memory.limit_bytes)
    idle, after, peak, limit = (size_bytes // MI for size_bytes in seen)
    figures.append(f"{service}: {idle} Mi idle, {after} Mi after the sample photo, {peak} Mi at most, limit {limit} Mi")
    assert f"{memory.limit_bytes // MI}m" == compose[service]["mem_limit"]
    assert 0 < memory.floor_bytes < memory.limit_bytes
    assert 0 < memory.used_bytes < memory.limit_bytes


@pytest.mark.parametrize("crowd", [(8, 5_000_000), (4, 24_000_000)], ids=["phones", "cameras"])
def test_a_crowd_is_served_within_the_limits(climbmate, analyze, answer, figures, crowd):
    size, photo_bytes = crowd
    photo = SAMPLE.read_bytes()
    photo += bytes(photo_bytes - len(photo))
    with ThreadPoolExecutor(size) as callers:
        answers = list(callers.map(analyze, [photo] * 3 * size))
    assert {len(each["holds"]) for each in answers} == {len(answer["holds"])}
    peaks = {name: container.peak_bytes() // MI for name, container in climbmate.items()}
    figures.append(f"{size} photos of {photo_bytes / 1e6:.0f} MB at once: at most {peaks} Mi, file pages included")


@pytest.mark.parametrize("service", SERVICES)
def test_all_that_a_service_prints_is_json(climbmate, answer, service):
    events = [json.loads(line)["event"] for line in climbmate[service].log().splitlines()]
    assert "ready" in events
    assert not {"bug", "refused"} & set(events)


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_that_is_told_to_stop_exits_with_0(run_service, service):
    with run_service(service) as container:
        container.wait_until_it_serves()
        state = container.stop()
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False), container.log()


@pytest.mark.parametrize("service", SERVICES)
def test_a_variable_that_is_no_setting_stops_the_start_with_one_line(run_service, service):
    unknown = f"{service.upper()}_SPEED"
    with run_service(service, **{unknown: "11"}) as container:
        assert container.wait_until_it_ends()["ExitCode"] == 2
        assert container.log().splitlines() == [f"{service}: bad settings: {unknown} is not a setting"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_process_is_an_ordinary_user_and_can_write_nothing(run_python, service):
    assert run_python(service, "import os; print(os.getuid(), os.access('/app', os.W_OK))").split() == [
        "10001",
        "False",
    ]


@pytest.mark.parametrize("module", ["numpy", "cv2", "onnxruntime", "PIL", "visionkit"])
def test_the_gateway_image_carries_no_arrays_and_no_models(run_python, module):
    assert f"No module named '{module}'" in run_python("gateway", f"import {module}")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("module", ["torch", "pip", "pytest"])
def test_an_image_carries_no_tools(run_python, service, module):
    assert f"No module named '{module}'" in run_python(service, f"import {module}")


def test_the_detector_image_reads_what_phones_send(run_python):
    assert run_python("detector", "import pillow_heif; print('heic')") == "heic\n"
