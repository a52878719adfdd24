"""Tokens, logins, and what a blind reviewer may not read through the API."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from api.access import Login
from api.routes import build_api
from qe_core.config import load_settings
from qe_core.errors import ConfigError
from tests.api_client import Client
from tests.desk_clips import store_playable
from tests.desk_work import save
from tests.stored_clips import store_clip
from workbench import people, preferences, review
from workbench.runtime import Runtime

TOKEN = " ".join(["a token", "of sixteen and more"])
CLIPS = "/api/v1/clips"


def who(cookies: Mapping[str, str]) -> str | None:
    return cookies.get("who")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path / "data", api={"tokens": (SecretStr(TOKEN),)}))
    yield opened
    opened.close()


def client_of(runtime: Runtime, *, is_login: bool) -> Client:
    login = Login(lambda: is_login, who)
    return Client(Starlette(routes=[Mount("/api", app=build_api(lambda: runtime, login))]))


def bearer(token: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def logged_in(subject: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Cookie": f"who={subject}"}}


def test_with_tokens_only_programs_that_have_one_use_the_api(runtime: Runtime) -> None:
    client = client_of(runtime, is_login=False)
    clip_id = store_clip(runtime, "a")
    refused = client.get(CLIPS)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorised")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "api.tokens" in refused.json()["suggestion"]
    assert client.post("/api/v1/predict", content=b"x").status_code == 401
    assert client.get(CLIPS, **bearer("a token of sixteen and mora")).status_code == 401
    assert client.get(CLIPS, **bearer(TOKEN)).status_code == 200
    # The pages of people without a login fetch the sound.
    assert client.get(f"{CLIPS}/{clip_id}/audio").status_code != 401
    assert client.get(f"{CLIPS}/{clip_id}/audio", **bearer("wrong")).status_code == 401


def test_where_people_log_in_nobody_else_hears_or_reads(runtime: Runtime) -> None:
    client = client_of(runtime, is_login=True)
    clip_id = store_clip(runtime, "a")
    people.sign_in(runtime, "ann@example.org", subject="ann")
    people.sign_in(runtime, "out@example.org", subject="out")
    people.set_role(runtime, "out@example.org", "none", actor=None)
    for path in (CLIPS, f"{CLIPS}/{clip_id}", f"{CLIPS}/{clip_id}/audio"):
        assert client.get(path).status_code == 401
        assert client.get(path, **logged_in("stranger")).status_code == 401
        assert client.get(path, **logged_in("out")).status_code == 403
        assert client.get(path, **logged_in("ann")).status_code not in (401, 403)
        assert client.get(path, **bearer(TOKEN)).status_code not in (401, 403)


def test_a_blind_reviewer_neither_reads_nor_finds_the_first_text(runtime: Runtime) -> None:
    client = client_of(runtime, is_login=True)
    for name in ("ann", "bob", "lea"):
        people.sign_in(runtime, name, subject=name)
    people.set_role(runtime, "lea", "lead", actor=None)
    preferences.set(runtime, "review.double_share", 1.0)
    clip_id = store_playable(runtime, "one two", file_name="a.wav")
    save(runtime, review.open_clip(runtime, clip_id, "ann"), "one zebra")

    def sees(**who: dict[str, str]) -> tuple[str | None, int]:
        shown = client.get(f"{CLIPS}/{clip_id}", **who).json()["review"]
        found = client.get(CLIPS, params={"text": "zebra"}, **who).json()["total"]
        assert client.get(CLIPS, params={"text": "two"}, **who).json()["total"] == 1
        return shown and shown["text"], found

    assert sees(**logged_in("bob")) == (None, 0)
    for allowed in (logged_in("ann"), logged_in("lea"), bearer(TOKEN)):
        assert sees(**allowed) == ("one zebra", 1)
    save(runtime, review.open_clip(runtime, clip_id, "bob"), "one zebra", reviewer="bob")
    assert sees(**logged_in("bob")) == ("one zebra", 1)


def test_a_short_token_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="at least 16"):
        load_settings(api={"tokens": ["short"]})
