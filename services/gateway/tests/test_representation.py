"""How answers travel: coded, tagged, drawn, with the headers that keep browsers safe."""

import gzip
import json
from xml.etree import ElementTree as ET

import brotli
import pytest

DECODE = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}


async def raw(gate, method, path, **headers):
    """The response with its body as it came."""
    content = b"\xff\xd8\xff" + bytes(9) if method == "POST" else None
    headers = {
        "accept-encoding": "",
        "content-type": "image/jpeg",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    async with gate.http.stream(method, path, content=content, headers=headers) as response:
        return response, b"".join([piece async for piece in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br, gzip", "br"),
        ("gzip", "gzip"),
        ("gzip, br;q=0.1", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("*", "br"),
        ("*, br;q=0", "gzip"),
        ("br;q=0, *;q=0", None),
        ("identity", None),
        ("", None),
        ("br;q=x,,;,", None),
    ],
)
async def test_json_comes_in_the_coding_that_the_caller_likes_best(gate, accepted, coding):
    response, body = await raw(gate, "POST", "/api/analyze", accept_encoding=accepted)
    assert response.headers.get("content-encoding") == coding
    assert "accept-encoding" in response.headers["vary"].lower()
    assert len(json.loads(DECODE[coding](body))["holds"]) == 5
    assert int(response.headers["content-length"]) == len(body)


async def test_what_fits_a_packet_is_not_compressed(gate):
    response, body = await raw(gate, "GET", "/livez", accept_encoding="br, gzip")
    assert "content-encoding" not in response.headers
    assert json.loads(body) == {"status": "alive"}


async def test_events_are_not_compressed(gate):
    response, body = await raw(gate, "POST", "/api/analyze-stream", accept_encoding="br, gzip")
    assert "content-encoding" not in response.headers
    assert body.startswith(b"id: 1\n")


@pytest.mark.parametrize("path", ["/api/palette", "/openapi.json", "/"])
async def test_who_has_it_already_is_told_so(gate, path):
    first, body = await raw(gate, "GET", path)
    tag = first.headers["etag"]
    assert body
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again, empty = await raw(gate, "GET", path, if_none_match=known)
        assert (again.status_code, empty) == (304, b"")
        assert again.headers["etag"] == tag
    other, body_again = await raw(gate, "GET", path, if_none_match='"other"')
    assert (other.status_code, body_again) == (200, body)


async def test_a_result_has_a_tag_at_its_address(open_gate):
    gate = await open_gate(gateway_remember_s=600.0)
    address = (await gate.analyze()).headers["content-location"]
    own = {"x_request_id": "me"}
    first, _ = await raw(gate, "GET", address, **own)
    again, body = await raw(gate, "GET", address, if_none_match=first.headers["etag"], **own)
    assert (again.status_code, body) == (304, b"")


async def test_what_must_not_be_stored_has_no_tag(gate):
    response, _ = await raw(gate, "GET", "/api/health")
    assert "etag" not in response.headers


@pytest.mark.parametrize(
    "accepted", ["image/svg+xml", "image/svg+xml, application/json;q=0.5", "application/json;q=0.1,image/svg+xml"]
)
async def test_outlines_come_as_a_drawing_over_the_photo(gate, accepted):
    response = await gate.analyze(headers={"accept": accepted})
    assert response.headers["content-type"] == "image/svg+xml"
    assert "accept" in response.headers["vary"].lower()
    svg = ET.fromstring(response.content)
    assert svg.get("viewBox") == "0 0 4032 3024"
    outlines = svg.findall(".//{http://www.w3.org/2000/svg}polygon")
    assert len(outlines) == 5
    assert {
        "points": "10,30 18,30 14,34",
        "data-hold-id": "0",
        "data-problem-id": "red-1",
        "stroke": "#c4262c",
    }.items() <= (next(one for one in outlines if one.get("data-hold-id") == "0").attrib.items())


@pytest.mark.parametrize(
    "accepted", ["*/*", "application/json", "application/json, image/svg+xml", "text/html", "q=;,"]
)
async def test_without_a_wish_for_a_drawing_the_answer_is_json(gate, accepted):
    response = await gate.analyze(headers={"accept": accepted})
    assert response.headers["content-type"] == "application/json"


async def test_a_color_name_cannot_break_out_of_the_drawing(gate):
    gate.colorizer.color.name = '"><script>alert(1)</script>'
    response = await gate.analyze(headers={"accept": "image/svg+xml"})
    assert "<script" not in response.text
    outlines = ET.fromstring(response.content).findall(".//{http://www.w3.org/2000/svg}polygon")
    assert {outline.get("data-color") for outline in outlines} == {gate.colorizer.color.name}


@pytest.mark.parametrize("path", ["/", "/api/palette", "/livez", "/nowhere", "/openapi.json"])
async def test_every_answer_keeps_browsers_safe(gate, path):
    headers = (await gate.http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


async def test_other_pages_may_not_call_the_api_unless_told(gate):
    response = await gate.http.get("/api/palette", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in response.headers


async def test_pages_of_chosen_origins_may_call_the_api(open_gate):
    gate = await open_gate(gateway_cors_origins="https://app.example, https://other.example")
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    allowed = await gate.http.options("/api/analyze", headers={**asked, "access-control-request-headers": "prefer"})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    failed = await gate.http.post("/api/analyze", headers={"origin": "https://other.example"})
    assert failed.headers["access-control-allow-origin"] == "https://other.example"
    assert "x-request-id" in failed.headers["access-control-expose-headers"].lower()
    refused = await gate.http.options("/api/analyze", headers={**asked, "origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


async def test_who_asks_for_the_head_only_gets_no_body_and_all_headers(gate):
    whole = await gate.http.get("/openapi.json")
    head = await gate.http.head("/openapi.json")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == whole.headers["etag"]
