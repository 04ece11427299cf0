"""Where a photo's bytes may come from."""

import io
from pathlib import Path

import pytest
from climbmate_client import AsyncClient, Client, GrpcClient, errors, photos


class Endless(io.RawIOBase):
    """A file that does not end; counts what was read."""

    given = 0

    def read(self, size=-1):
        self.given += size
        return bytes(size)


async def by_async(gateway, _, photo):
    async with AsyncClient(gateway.url) as climbmate:
        await climbmate.analyze(photo)


async def by_async_stream(gateway, _, photo):
    async with AsyncClient(gateway.url) as climbmate:
        _ = [step async for step in climbmate.stream(photo)]


async def by_http(gateway, _, photo):
    with Client(gateway.url) as climbmate:
        climbmate.analyze(photo)


async def by_grpc(_, grpc_gateway, photo):
    with GrpcClient(grpc_gateway.target) as climbmate:
        climbmate.analyze(photo)


WAYS = [by_http, by_async, by_async_stream, by_grpc]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["file", "bytes", "text path", "path"])
async def test_a_photo_may_be_bytes_a_path_or_an_open_file(gateway, grpc_gateway, wall_file, way, kind):
    photo = {
        "file": io.BytesIO(wall_file.read_bytes()),
        "bytes": wall_file.read_bytes(),
        "text path": str(wall_file),
        "path": wall_file,
    }[kind]
    await way(gateway, grpc_gateway, photo)
    sent = [request.body for request in gateway.requests] + [request.photo for request in grpc_gateway.requests]
    assert sent == [wall_file.read_bytes()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("photo", [Endless, lambda: "/dev/zero", lambda: Path("/dev/urandom")])
async def test_what_does_not_end_is_too_large(gateway, grpc_gateway, way, photo):
    photo = photo()
    with pytest.raises(errors.ImageTooLarge) as refused:
        await way(gateway, grpc_gateway, photo)
    assert refused.value.details == {"limit_bytes": str(photos.MAX_PHOTO_BYTES)}
    assert getattr(photo, "given", 0) <= photos.MAX_PHOTO_BYTES + 1
    assert not gateway.requests
    assert not grpc_gateway.requests


@pytest.mark.parametrize("photo", ["/", "/nonexistent", "/proc/self/mem"])
async def test_what_cannot_be_read_is_an_error_with_its_name(gateway, photo):
    with pytest.raises(OSError, match=photo):
        await by_http(gateway, None, photo)


def test_a_file_that_grows_while_it_is_read_is_read_to_the_limit_only(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "MAX_PHOTO_BYTES", 1000)
    (tmp_path / "photo").write_bytes(bytes(1000))
    assert photos.read(tmp_path / "photo") == bytes(1000)
    with (tmp_path / "photo").open("ab") as more:
        more.write(b"1")
    with pytest.raises(errors.ImageTooLarge):
        photos.read(tmp_path / "photo")
