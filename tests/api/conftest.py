"""Fixtures of the API's tests."""

import pytest

from tests.api_client import Client, make_client
from workbench.runtime import Runtime


@pytest.fixture
def client(runtime: Runtime) -> Client:
    """The API over an installation of its own."""
    return make_client(runtime)
