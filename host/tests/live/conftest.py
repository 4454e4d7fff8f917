"""Interfaces for the tests."""

from collections.abc import Iterator

import pytest

from host.tests.live.interfaces import Pair, joined_namespaces, skip_without_root, veth_pair


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench", metavar="FILE", help="play host/tests/live/test_suite.py on it")


@pytest.fixture(scope="module")
def veth() -> Iterator[Pair]:
    """Two interfaces that are the ends of one cable."""
    skip_without_root()
    with veth_pair() as pair:
        yield pair


@pytest.fixture
def namespaces() -> Iterator[Pair]:
    """Two network namespaces; interface `oae` of one is joined by a cable to that of the other."""
    skip_without_root()
    with joined_namespaces() as pair:
        yield pair
