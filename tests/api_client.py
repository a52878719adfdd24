"""Calling the API in this process, without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from api.health import health_routes
from api.routes import build_api
from workbench.runtime import Runtime


class Client:
    """A synchronous face for the ASGI app."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://localhost:8501"
            ) as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(call())

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)


def make_client(runtime: Runtime) -> Client:
    """The API and the health routes as the app mounts them."""
    return Client(
        Starlette(
            routes=[
                Mount("/api", app=build_api(lambda: runtime)),
                *health_routes(lambda: runtime),
            ]
        )
    )
