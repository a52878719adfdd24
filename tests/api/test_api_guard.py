"""Other web sites stay out of a server that trusts whoever can reach it."""

import pytest
from starlette.datastructures import Headers

from api.guard import GuardError, check_request
from qe_core.config import ServerSettings
from tests.api_client import Client

EVERYWHERE = "0.0.0.0"  # noqa: S104  nothing is bound


def is_let_in(
    *, method: str = "POST", server: ServerSettings | None = None, **headers: str
) -> bool:
    try:
        check_request(method, Headers(headers), server or ServerSettings())
    except GuardError:
        return False
    return True


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"]
)
def test_own_names_are_let_in(host: str) -> None:
    assert is_let_in(host=host)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8501", "", "[::1", "127.0.0.1.evil.example"]
)
def test_name_that_resolves_here_from_elsewhere_is_refused(host: str) -> None:
    assert not is_let_in(method="GET", host=host)


def test_configured_name_is_let_in_and_no_other() -> None:
    server = ServerSettings(host=EVERYWHERE, allowed_hosts=("werkbench.example",))
    assert is_let_in(server=server, host="werkbench.example")
    assert not is_let_in(server=server, host="evil.example")


def test_server_that_is_open_and_unnamed_accepts_every_name() -> None:
    assert is_let_in(server=ServerSettings(host=EVERYWHERE), host="10.0.0.7:8501")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9999"])
def test_page_from_elsewhere_may_not_change_anything(origin: str) -> None:
    assert not is_let_in(host="localhost:8501", origin=origin)
    assert is_let_in(method="GET", host="localhost:8501", origin=origin)


def test_own_page_may_change_things() -> None:
    assert is_let_in(host="localhost:8501", origin="http://localhost:8501")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"host": "evil.example"}, 421, "foreign_host"),
        ({"origin": "http://evil.example"}, 403, "foreign_origin"),
    ],
)
def test_refusal_is_problem_json(
    client: Client, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.post("/api/v1/clips", content=b"", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
