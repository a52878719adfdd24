"""The HTTP API as one app, mounted at ``/api``."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import Depends, FastAPI

from api import clips, docs, predict, sound
from api.access import NO_LOGIN, Login, may_hear, may_use
from api.guard import Guard
from api.metrics import CountRequests
from api.problems import add_problem_handlers
from api.state import GetRuntime
from workbench.runtime import get_runtime

__all__ = ["build_api"]

_DESCRIPTION = """
Push audio in, pull verdicts out.

* `POST /v1/predict`: a rough prediction from the sound alone, at once.
* `POST /v1/clips`: the file is kept, transcribed and assessed in the background.

Where tokens are set or people log in, send `Authorization: Bearer TOKEN`.

Every refusal is `application/problem+json` with a `detail`, a `suggestion` and a stable `code`.
"""


def build_api(get_runtime: GetRuntime = get_runtime, login: Login = NO_LOGIN) -> FastAPI:
    """Build the API.

    Where ``api.is_enabled`` is off, only the sound of clips is served: the pages need it.

    Args:
        get_runtime: gives what the process holds
        login: how the pages know people

    Returns:
        an app whose routes begin with ``/v1``
    """
    settings = get_runtime().settings
    app = FastAPI(
        title="Werkbench",
        version=_version(),
        description=_DESCRIPTION,
        # FastAPI's own pages load their scripts from a content network.
        docs_url=None,
        redoc_url=None,
    )
    app.state.get_runtime = get_runtime
    app.state.login = login
    add_problem_handlers(app)
    app.add_middleware(Guard, get_server=lambda: settings.server)
    app.add_middleware(CountRequests)
    app.include_router(docs.router)
    hear, use = [Depends(may_hear)], [Depends(may_use)]
    app.include_router(sound.media_router, prefix="/v1", dependencies=hear)
    if settings.api.is_enabled:
        app.include_router(predict.router, prefix="/v1", dependencies=use)
        app.include_router(clips.router, prefix="/v1", dependencies=use)
    return app


def _version() -> str:
    try:
        return version("werkbench")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "checkout"
