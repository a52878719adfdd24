"""Logging in with an identity provider that speaks the real protocol, in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qe_core.config import load_settings
from tests.e2e.conftest import free_port, serving
from tests.identity_provider import IdentityProvider, providing
from workbench import people
from workbench.runtime import Runtime

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ACCOUNTS = {
    "u-boss": {"email": "boss@example.org", "email_verified": True, "name": "The Boss"},
    "u-ann": {"email": "ann@example.org", "email_verified": True, "name": "Ann"},
    "u-liar": {"email": "boss@example.org", "email_verified": False, "name": "Liar"},
}


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider(free_port(), ACCOUNTS)
    with providing(made):
        yield made


def log_in(page: Page, account: str) -> None:
    expect(page.get_by_text("Log in to check transcripts.")).to_be_visible()
    expect(page.get_by_role("link", name="Library")).to_have_count(0)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=account).click()


def test_people_log_in_get_their_role_and_log_out(
    provider: IdentityProvider, tmp_path: Path, launch: Callable[..., Page]
) -> None:
    data_dir, port = tmp_path / "data", free_port()
    home = tmp_path / "home"
    (home / ".streamlit").mkdir(parents=True)
    secrets = provider.secrets_toml(f"http://127.0.0.1:{port}")
    (home / ".streamlit" / "secrets.toml").write_text(secrets, encoding="utf-8")
    with serving(
        data_dir, port=port, HOME=str(home), WERKBENCH_PEOPLE__ADMINS='["boss@example.org"]'
    ) as url:
        page = launch()
        page.goto(url)
        assert page.request.get(f"{url}/api/v1/clips").status == 401
        log_in(page, "u-boss")
        expect(page.get_by_text("boss@example.org, admin")).to_be_visible()
        # The browser's cookie is the login of the API, too; a changed one is none.
        assert page.request.get(f"{url}/api/v1/clips").status == 200
        forged = {"Cookie": "_streamlit_user=forged"}
        assert page.request.get(f"{url}/api/v1/clips", headers=forged).status == 401
        expect(page.get_by_role("link", name="Settings")).to_be_visible()
        page.reload()
        expect(page.get_by_text("boss@example.org, admin")).to_be_visible()
        page.get_by_role("button", name="Log out").click()

        log_in(page, "u-ann")
        expect(page.get_by_text("ann@example.org, annotator")).to_be_visible()
        expect(page.get_by_role("link", name="Review")).to_be_visible()
        for name in ("Settings", "People", "Quality", "Adjudicate"):
            expect(page.get_by_role("link", name=name)).to_have_count(0)
        page.get_by_role("button", name="Log out").click()

        log_in(page, "u-liar")
        expect(page.get_by_text("Liar (u-liar), annotator")).to_be_visible()
    assert provider.refused == []
    runtime = Runtime(load_settings(data_dir=data_dir))
    try:
        known = {person.name: person.subject for person in people.everybody(runtime, None)}
    finally:
        runtime.close()
    assert known == {
        "boss@example.org": f"{provider.issuer}|u-boss",
        "ann@example.org": f"{provider.issuer}|u-ann",
        "Liar (u-liar)": f"{provider.issuer}|u-liar",
    }
