"""The API described on one page that needs nothing from elsewhere: no script, no network."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

__all__ = ["render_docs", "router"]

router = APIRouter()

_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} API</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; }}
body {{ padding: 0 1rem; }}
h2 {{ margin-top: 2.5rem; font: 600 1.1rem ui-monospace, monospace; }}
table {{ border-collapse: collapse; }} td, th {{ text-align: left; padding: .15rem 1rem .15rem 0; }}
td:first-child, code {{ font-family: ui-monospace, monospace; }}
</style>
<h1>{title} API {version}</h1>
<p>{description}</p>
<p>Machine-readable: <a href="openapi.json">openapi.json</a></p>
{operations}
</html>
"""


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """The page."""
    prefix = request.scope.get("root_path", "")
    return HTMLResponse(render_docs(request.app.openapi(), prefix=prefix), headers=_HEADERS)


def render_docs(schema: Mapping[str, Any], *, prefix: str = "") -> str:
    """Write an OpenAPI document as a page.

    Args:
        schema: the OpenAPI document
        prefix: where the app is mounted, put before every path

    Returns:
        HTML without any script
    """
    components = schema.get("components", {}).get("schemas", {})
    operations = "\n".join(
        "\n".join(_operation(method, prefix + path, operation, components))
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    )
    info = schema["info"]
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        description=escape(info.get("description", "")).replace("\n", "<br>"),
        operations=operations,
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], components: Mapping[str, Any]
) -> Iterator[str]:
    yield f"<h2>{escape(method.upper())} {escape(path)}</h2>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    parameters = [
        (
            item["name"],
            _type_of(item.get("schema", {})),
            item.get("description") or item.get("schema", {}).get("description", ""),
        )
        for item in operation.get("parameters", ())
    ]
    if parameters:
        yield _table("Parameters", parameters)
    if "requestBody" in operation:
        kinds = ", ".join(operation["requestBody"]["content"])
        yield f"<p>Body: <code>{escape(kinds)}</code></p>"
    for status, response in operation.get("responses", {}).items():
        name = _answer(response)
        yield f"<p><b>{escape(status)}</b> {escape(response.get('description', ''))}</p>"
        properties = components.get(name, {}).get("properties", {})
        if properties and status.startswith("2"):
            yield _table(
                name,
                [
                    (key, _type_of(value), value.get("description", ""))
                    for key, value in properties.items()
                ],
            )


def _answer(response: Mapping[str, Any]) -> str:
    content = response.get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]


def _type_of(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type_of(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><caption>{escape(title)}</caption>{body}</table>"
