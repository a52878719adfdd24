"""How a route reaches what the process holds."""

from collections.abc import Callable
from typing import cast

from starlette.requests import Request

from workbench.runtime import Runtime

__all__ = ["GetRuntime", "runtime_of"]

GetRuntime = Callable[[], Runtime]


def runtime_of(request: Request) -> Runtime:
    """The runtime that the app was built with; opened at the first call."""
    return cast("GetRuntime", request.app.state.get_runtime)()
