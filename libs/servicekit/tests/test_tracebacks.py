import asyncio
import gc
import weakref

from servicekit.tracebacks import forget


class Photo:
    pass


async def fails(photo):
    raise ValueError("no")


async def caller(photo):
    task = asyncio.create_task(fails(photo))
    try:
        await task
    except ValueError as error:
        kept = RuntimeError("refused")
        raise kept from error


async def test_a_forgotten_error_lets_go_of_what_its_frames_held():
    photo = Photo()
    held = weakref.ref(photo)
    gc.disable()
    try:
        try:
            await caller(photo)
        except RuntimeError as error:
            del photo
            assert held() is not None
            forget(error)
        await asyncio.sleep(0)
        assert held() is None
    finally:
        gc.enable()


def test_an_error_that_is_its_own_context_ends():
    error = ValueError("a")
    other = ValueError("b")
    error.__context__, other.__context__ = other, error
    forget(error)
    assert error.__traceback__ is None
