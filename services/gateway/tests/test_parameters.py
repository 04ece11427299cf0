"""Parameters: in the query, as headers, as fields of a form; read, or refused by name in our words."""

import json
import urllib.parse

import pytest
from gateway.web.multipart import MAX_FIELD_BYTES

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
FORM = "multipart/form-data; boundary=x"
LIBRARIES = ("Expected", "Object", "msgspec", "boundary character", "Maximum", "`$", "object", "Did not find")


def part(name, value, head=b""):
    return (
        b'--x\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + head + b"\r\n\r\n" + value + b"\r\n"
    )


PHOTO = part("image", JPEG)


def form(*parts, photo=PHOTO):
    return photo + b"".join(parts) + b"--x--\r\n"


async def send(gate, body, query="", path="/api/analyze", kind=FORM):
    return await gate.http.post(f"{path}{query and '?' + query}", content=body, headers={"content-type": kind})


def refusal(response, status=422, code="INVALID_PARAMETER"):
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    details = response.json()["error"]["details"]
    assert not any(word in text for text in details.values() for word in LIBRARIES)
    return details


@pytest.mark.parametrize("first", ["photo", "field"])
async def test_a_field_of_the_form_is_read_as_the_querys_parameter(gate, first):
    field = part("max_holds", b"3")
    body = form(field) if first == "photo" else form(photo=field + part("image", JPEG))
    response = await send(gate, body)
    assert (response.status_code, len(response.json()["holds"])) == (200, 3)


async def test_every_parameter_may_be_a_field(gate):
    fields = (
        part("min_confidence", b"0.5"),
        part("min_holds", b"50"),
        part("palette", "빨강,나무:a hold of wood".encode()),
    )
    response = await send(gate, form(*fields), "max_holds=4")
    assert (len(response.json()["holds"]), response.json()["problems"]) == (4, [])
    assert gate.detector.requests[0].min_confidence == pytest.approx(0.5)
    assert [color.name for color in gate.colorizer.requests[0].palette] == ["빨강", "나무"]


@pytest.mark.parametrize("path", ["/api/analyze", "/api/analyze-stream"])
@pytest.mark.parametrize(
    ("body", "query"),
    [
        (form(), "max_holds=3&max_holds=5"),
        (form(), "max_holds=3&max_holds=3"),
        (form(), "max_holds=3&max%5Fholds=3"),
        (form(part("max_holds", b"3")), "max_holds=5"),
        (form(part("max_holds", b"3"), part("max_holds", b"3")), ""),
    ],
)
async def test_a_parameter_that_comes_twice_is_refused_by_name(gate, body, query, path):
    assert refusal(await send(gate, body, query, path))["max_holds"] == "is given more than once"
    assert gate.detector.requests == []


NOT_WHOLE = [
    "",
    " 3",
    "+3",
    "3.0",
    "1e2",
    "0x3",
    "0b11",
    "٣",
    "\uff13",
    "3_0",
    "007",
    "null",
    "true",
    "-3",
    "0",
    "301",
    "9" * 5000,
]
NOT_A_SHARE = [
    "",
    ".5",
    "1.",
    "0,5",
    "nan",
    "NaN",
    "inf",
    "Infinity",
    "-0.5",
    "null",
    "0.009",
    "1.001",
    "1e999",
    "0x1p-1",
]


@pytest.mark.parametrize(
    ("name", "texts", "must"),
    [
        ("max_holds", NOT_WHOLE, "must be a whole number from 1 to 300"),
        ("min_holds", NOT_WHOLE, "must be a whole number from 2 to 50"),
        ("min_confidence", NOT_A_SHARE, "must be a number from 0.01 to 1"),
    ],
)
async def test_what_is_no_number_of_its_range_is_refused_in_our_words(gate, name, texts, must):
    for text in texts:
        query = urllib.parse.urlencode({name: text})
        for response in (await send(gate, form(), query), await send(gate, form(part(name, text.encode())))):
            assert refusal(response)[name] == must


@pytest.mark.parametrize(("text", "least"), [("0.5", 0.5), ("1", 1), ("1e-1", 0.1), ("5E-1", 0.5)])
async def test_numbers_are_written_as_in_json(gate, text, least):
    assert (await send(gate, form(), f"min_confidence={text}")).status_code == 200
    assert gate.detector.requests[0].min_confidence == pytest.approx(least)


@pytest.mark.parametrize("query", ["palette=%ff", "palette=%ED%A0%80", "palette=red,%C3"])
async def test_a_palette_that_is_no_utf_8_is_refused_by_name(gate, query):
    assert "UTF-8" in refusal(await send(gate, form(), query))["palette"]
    field = part("palette", urllib.parse.unquote_to_bytes(query.partition("=")[2]))
    assert "UTF-8" in refusal(await send(gate, form(field)))["palette"]


@pytest.mark.parametrize("query", ["%ff=1", "max_hold=3", "=3", "max_holds%00=3", "%zz=1", "x" * 5000 + "=1"])
async def test_a_parameter_that_does_not_exist_is_named_shortly(gate, query):
    details = refusal(await send(gate, form(), query))
    assert "There is no such parameter." in details.values()
    assert max(map(len, details)) <= 64


async def test_not_every_one_of_many_wrong_parameters_is_told(gate):
    details = refusal(await send(gate, form(), "&".join(f"p{number}=1" for number in range(1000))))
    assert len(details) == 17  # the first 16 and the reason


async def test_a_form_of_undeclared_size_has_its_fields_too(gate):
    body = form(part("max_holds", b"3"))

    async def pieces():
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    response = await send(gate, pieces())
    assert "content-length" not in response.request.headers
    assert len(response.json()["holds"]) == 3


async def test_the_forms_fields_are_described_like_the_querys_parameters(gate):
    paths = (await gate.http.get("/openapi.json")).json()["paths"]
    for path in ("/api/analyze", "/api/analyze-stream", "/api/analyze-batch"):
        schema = paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        told = {one["name"]: one for one in paths[path]["post"]["parameters"] if one["in"] == "query"}
        assert schema["properties"].keys() == {"image", *told}
        assert schema["properties"]["max_holds"]["maximum"] == told["max_holds"]["schema"]["maximum"] == 300


async def test_a_raw_body_has_its_parameters_in_the_query_alone(gate):
    response = await send(gate, JPEG, "max_holds=2", kind="image/jpeg")
    assert len(response.json()["holds"]) == 2


@pytest.mark.parametrize("name", ["note", "max_hold", "submit", "Image", "image[]", "이미지", "n" * 3000])
async def test_a_field_that_does_not_exist_is_refused_by_name(gate, name):
    details = refusal(await send(gate, form(part(name, b"3"))))
    assert details[name[:64]] == "There is no such field; a photo's is `image`."
    assert refusal(await send(gate, form(photo=part(name, JPEG, b'; filename="a.jpg"')))) == details


WITHOUT_NAME = b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n"


@pytest.mark.parametrize(
    "part_",
    [
        WITHOUT_NAME,
        WITHOUT_NAME * 10_000,
        b"--x\r\n\r\n\r\n",
        b"--x\r\nContent-Disposition: form-data; name*=UTF-8''image\r\n\r\n" + JPEG + b"\r\n",
        b"--x\r\nContent-Disposition: form-data; filename*=UTF-8''image\r\n\r\n" + JPEG + b"\r\n",
    ],
)
async def test_a_part_without_a_plain_name_is_refused(gate, part_):
    assert refusal(await send(gate, form(photo=part_)))["body"] == "a part of the form has no name"


@pytest.mark.parametrize(
    "body",
    [
        b"preamble " * 300_000 + form(),
        form(photo=part("image", JPEG, b'; filename="' + b"n" * 1_000_000 + b'"')),
        form(photo=part("image", JPEG, b"\r\nX-Long: " + b"v" * 3_000_000)),
        form(photo=part("image", JPEG, b"\r\nX-Many: v" * 1000)),
        form(photo=b"--x\r\nContent-Disposition\r\n\r\n"),
        form(photo=b"--y\r\n"),
        form(photo=part("max_holds", JPEG, b'\r\ncontent-disposition: form-data; name="image"')),
    ],
)
async def test_what_is_no_form_is_said_in_our_words(gate, body):
    assert refusal(await send(gate, body))["body"] == "is no multipart/form-data"


async def test_an_epilogue_is_passed_over(gate):
    assert (await send(gate, form() + b"epilogue " * 300_000)).status_code == 200


async def test_a_field_that_is_too_long_is_refused_while_it_arrives(gate):
    details = refusal(await send(gate, form(part("palette", b"x" * 20_000_000))))
    assert details["palette"] == f"has more than {MAX_FIELD_BYTES} bytes"
    assert "characters" in refusal(await send(gate, form(part("palette", b"x" * MAX_FIELD_BYTES))))["palette"]


@pytest.mark.parametrize("boundary", ["", "x" * 71, "x" * 5000, '""'])
async def test_a_boundary_has_1_to_70_characters(gate, boundary):
    details = refusal(await send(gate, form(), kind=f"multipart/form-data; boundary={boundary}"))
    assert details["content-type"] == "boundary must have 1 to 70 characters"


async def test_the_longest_boundary_and_a_quoted_one_are_read(gate):
    for boundary, written in (("y" * 70, "y" * 70), ("a b:c", '"a b:c"')):
        body = form().replace(b"--x", b"--" + boundary.encode())
        kind = f"Multipart/Form-Data; charset=utf-8; Boundary={written}"
        assert (await send(gate, body, kind=kind)).status_code == 200


async def test_a_part_that_is_encoded_is_refused_by_name(gate):
    photo = part("image", b"/9j/4AAQ", b"\r\nContent-Transfer-Encoding: base64")
    details = refusal(await send(gate, form(photo=photo)), 415, "UNSUPPORTED_FORMAT")
    assert details["content-transfer-encoding"] == "base64"
    plain = part("image", JPEG, b"\r\nContent-Transfer-Encoding: BINARY")
    assert (await send(gate, form(photo=plain))).status_code == 200


CODED = ["gzip", "GZIP", "x-gzip", "br", "gzip, br", "identity, gzip", "zstd", "aws-chunked"]


@pytest.mark.parametrize("path", ["/api/analyze", "/api/analyze-stream", "/api/analyze-batch", "/api/feedback"])
async def test_a_body_that_is_encoded_is_refused_by_the_encodings_name(gate, path):
    kind = "application/json" if path == "/api/feedback" else FORM
    for coding in CODED:
        headers = {"content-type": kind, "content-encoding": coding}
        response = await gate.http.post(path, content=b"\x1f\x8b\x08" + form(), headers=headers)
        assert refusal(response, 415, "UNSUPPORTED_FORMAT")["content-encoding"] == coding


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
async def test_identity_is_no_encoding(gate, coding):
    headers = {"content-type": FORM, "content-encoding": coding}
    assert (await gate.http.post("/api/analyze", content=form(), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "kind", ["application/octet-stream", "text/plain", "multipart/mixed; boundary=x", "imag/jpeg", ""]
)
async def test_a_body_of_another_type_is_refused_by_that_types_name(gate, kind):
    details = refusal(await send(gate, form(), kind=kind), 415, "UNSUPPORTED_FORMAT")
    assert details["content-type"] == (kind or "missing")


async def test_two_types_are_none(gate):
    headers = [("content-type", "image/jpeg"), ("content-type", FORM)]
    details = refusal(await gate.http.post("/api/analyze", content=form(), headers=headers), 415, "UNSUPPORTED_FORMAT")
    assert details["content-type"] == f"image/jpeg, {FORM}"


async def test_the_bytes_tell_the_format_whatever_the_type_says(gate):
    png = b"\x89PNG\r\n\x1a\n" + bytes(64)
    assert (await send(gate, png, kind="image/jpeg")).status_code == 200


async def test_a_deadline_that_comes_twice_is_refused_by_name(gate):
    headers = [("content-type", FORM), ("x-request-deadline-ms", "9000"), ("x-request-deadline-ms", "9000")]
    details = refusal(await gate.http.post("/api/analyze", content=form(), headers=headers))
    assert details["x-request-deadline-ms"] == "is given more than once"


@pytest.mark.parametrize("text", ["", "+5", "1e3", "5.0", "600001", "soon"])
async def test_a_deadline_is_whole_milliseconds(gate, text):
    headers = {"content-type": FORM, "x-request-deadline-ms": text}
    details = refusal(await gate.http.post("/api/analyze", content=form(), headers=headers))
    assert details["x-request-deadline-ms"] == "must be a whole number from 1 to 600000"


async def lines_of(gate, body, query=""):
    response = await send(gate, body, query, "/api/analyze-batch")
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


async def test_the_fields_of_a_batch_hold_for_all_its_photos(gate):
    body = form(part("image", JPEG + b"1"), photo=part("max_holds", b"2") + part("image", JPEG))
    *lines, end = await lines_of(gate, body, "min_confidence=0.5")
    assert [len(line["result"]["holds"]) for line in lines] == [2, 2]
    assert end == {"photos": 2, "failed": 0}


@pytest.mark.parametrize(
    ("body", "query", "named"),
    [
        (form(photo=part("max_holds", b"2") + part("image", JPEG)), "max_holds=2", "is given more than once"),
        (form(photo=part("max_holds", b"2") * 2 + part("image", JPEG)), "", "is given more than once"),
        (form(photo=part("max_holds", b"301") + part("image", JPEG)), "", "must be a whole number from 1 to 300"),
    ],
)
async def test_wrong_fields_of_a_batch_end_it_before_its_first_photo(gate, body, query, named):
    (end,) = await lines_of(gate, body, query)
    assert (end["photos"], end["error"]["code"]) == (0, "INVALID_PARAMETER")
    assert end["error"]["details"]["max_holds"] == named
    assert gate.detector.requests == []
    assert gate.lifecycle.inbox.reserved_bytes == 0


async def test_a_field_behind_a_photo_of_a_batch_is_refused_and_the_photo_answered(gate):
    line, end = await lines_of(gate, form(part("max_holds", b"2")))
    assert len(line["result"]["holds"]) == 5
    assert end["error"]["details"]["max_holds"] == "must come before the photos"


async def test_a_batchs_query_is_refused_at_once(gate):
    for query in ("max_holds=1&max_holds=2", "max_hold=1", "min_holds=1"):
        refusal(await send(gate, form(), query, "/api/analyze-batch"))


async def test_a_malformed_form_is_no_warning_to_the_operator(gate, caplog):
    for body in (b"garbage", form(photo=b"--x\r\nBad Name: 1\r\n\r\n"), b"--x\r\n\r\n--x-?"):
        refusal(await send(gate, body))
    assert [record for record in caplog.records if record.levelname != "INFO"] == []
