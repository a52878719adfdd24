"""The ASGI app: pages, HTTP API and worker in one process.

``streamlit run app.py`` and ``uvicorn app:app`` both serve it.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.routing import Mount

from api.access import Login
from api.health import health_routes
from api.predict import warm_up
from api.routes import build_api
from qe_core.errors import WerkbenchError
from ui.appearance import apply_appearance
from ui.desk_script import desk_routes
from ui.login_cookie import is_login_configured, logged_in_subject
from ui.resources import load_engine
from workbench.runtime import Runtime, close_runtime, get_runtime


def _open_runtime() -> Runtime:
    """Open the installation before the first request, so that a wrong setting ends the start."""
    try:
        return get_runtime()
    except WerkbenchError as error:
        sys.stderr.write(f"{error.message}\n{error.suggestion}\n")
        sys.exit(2)


@asynccontextmanager
async def _lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    _runtime.worker.start()
    _runtime.trainer.start()
    _runtime.watch.start()
    load_engine(_runtime)
    warm_up(_runtime)
    yield {}
    close_runtime()


_runtime = _open_runtime()
apply_appearance(_runtime.settings)
app = st.App(
    Path(__file__).parent / "ui" / "navigation.py",
    routes=[
        Mount("/api", app=build_api(login=Login(is_login_configured, logged_in_subject))),
        *desk_routes(),
        *health_routes(),
    ],
    lifespan=_lifespan,
)
