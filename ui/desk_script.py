"""What the desk is made of in the browser: one script, fetched once, kept by its content hash."""

import hashlib
import json
from functools import lru_cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

__all__ = ["asset", "desk_routes", "desk_script", "loader"]

# They share one scope in the browser; a class comes before what extends and uses it.
_SCRIPTS = (
    "words.js",
    "history.js",
    "sound.js",
    "waveform.js",
    "spectrogram.js",
    "editor.js",
    "shape.js",
    "drafts.js",
    "keys.js",
    "guard.js",
    "desk.js",
    "work.js",
    "find.js",
    "second.js",
    "reject.js",
    "show.js",
)


def asset(name: str) -> str:
    """A file of the desk's folder."""
    return resources.files("ui").joinpath("desk", name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def desk_script() -> tuple[str, str]:
    """The desk as one module, with its markup and style inside.

    Returns:
        path under which :func:`desk_routes` serves it, and its text
    """
    constants = "".join(
        f"const {name} = {json.dumps(asset(file))};\n"
        for name, file in (("HTML", "desk.html"), ("CSS", "desk.css"))
    )
    text = constants + "\n".join(asset(name) for name in _SCRIPTS)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"/desk/{digest}.js", text


def loader() -> str:
    """The few lines that travel with every run of the page, instead of some 80 KB.

    The page imports :mod:`ui.desk` only once it runs; this module is imported by the app itself.
    """
    path, _ = desk_script()
    return (
        f"const desk = import(new URL({json.dumps(path)}, location.href));\n"
        "export default (component) => {\n"
        "  let close = null;\n"
        "  desk.then((module) => { close = module.default(component); }, () => {\n"
        "    component.parentElement.textContent = 'The desk did not load. Reload the page.';\n"
        "  });\n"
        "  return () => close?.();\n"
        "};\n"
    )


def desk_routes() -> list[BaseRoute]:
    """The route of the script; its path changes with its content, so browsers may keep it."""

    async def script(_: Request) -> Response:
        return Response(
            desk_script()[1],
            media_type="text/javascript",
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    return [Route(desk_script()[0], script)]
