"""The examples of the docstrings, run against the fake gateway."""

import asyncio
import doctest
import importlib
import pkgutil
from pathlib import Path

import climbmate_client
import pytest
from climbmate_client import AsyncClient, Client, GrpcClient, Progress

_EXAMPLES = [
    example
    for module in pkgutil.walk_packages(climbmate_client.__path__, "climbmate_client.")
    if not module.name.endswith("__main__")
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module.name))
    if example.examples
] + [example for example in doctest.DocTestFinder().find(climbmate_client) if example.examples]


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda example: example.name)
def test_the_example_does_what_it_says(example, gateway, grpc_gateway, wall_file):
    with Client(gateway.url) as climbmate:
        example.globs.update(
            url=gateway.url,
            target=grpc_gateway.target,
            climbmate=climbmate,
            analysis=climbmate.analyze(wall_file),
            asyncio=asyncio,
            AsyncClient=AsyncClient,
            Client=Client,
            GrpcClient=GrpcClient,
            Path=Path,
            Progress=Progress,
        )
        failed, tried = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(example)
    assert tried
    assert not failed


def test_there_are_examples():
    assert {example.name.rpartition(".")[2] for example in _EXAMPLES} >= {"Client", "AsyncClient", "GrpcClient", "draw"}
