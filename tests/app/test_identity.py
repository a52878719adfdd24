"""Who is let in where nobody logs in, and which pages they get."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import OpenPage
from tests.desk_work import team
from ui.state import PERSON, REVIEWER
from workbench import people
from workbench.runtime import Runtime, close_runtime

pytestmark = pytest.mark.slow
NAVIGATION = Path(__file__).resolve().parents[2] / "ui" / "navigation.py"


@pytest.fixture
def open_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages of a server that others can reach."""
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WERKBENCH_SERVER__HOST", "192.0.2.1")
    yield
    close_runtime()


def test_a_server_that_others_reach_says_what_to_configure(open_server: None) -> None:
    app = AppTest.from_file(NAVIGATION, default_timeout=30).run()
    assert not app.exception
    assert app.title[0].value == "Who may come in?"
    assert "server_metadata_url" in app.code[0].value
    assert "people.trust_network" in "".join(text.value for text in app.markdown)


def test_a_trusted_network_is_let_in(open_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WERKBENCH_PEOPLE__TRUST_NETWORK", "true")
    app = AppTest.from_file(NAVIGATION, default_timeout=30).run()
    assert app.title[0].value == "Intake"


def test_nobody_is_held_up_on_a_new_installation(open_page: OpenPage) -> None:
    app = open_page("people")
    assert app.session_state[PERSON] == "annotator"
    assert "yours alone" in app.info[0].value


def test_who_gives_the_first_name_becomes_admin(installation: Runtime, open_page: OpenPage) -> None:
    app = open_page("people")
    app.text_input(key=REVIEWER).set_value("Ann").run()
    assert any("Works here as admin" in caption.value for caption in app.caption)
    assert [person.role for person in people.everybody(installation, "Ann")] == ["admin"]


def test_a_new_browser_is_asked_who_is_there(installation: Runtime) -> None:
    team(installation)
    app = AppTest.from_file(NAVIGATION, default_timeout=30).run()
    assert app.title[0].value == "Who are you?"
    app.text_input(key="people.start.name").set_value("bob")
    app.button(key="people.start.save").click().run()
    assert app.session_state[PERSON] == "bob"
    assert app.title[0].value == "Intake"


def test_somebody_locked_out_is_told_whom_to_ask(installation: Runtime) -> None:
    team(installation)
    people.set_role(installation, "bob", "none", actor="ada")
    app = AppTest.from_file(NAVIGATION, default_timeout=30)
    app.session_state[REVIEWER] = "bob"
    app.run()
    assert app.title[0].value == "Not yet"
    assert "Ask an admin" in app.info[0].value


def test_an_admin_changes_a_role(installation: Runtime) -> None:
    team(installation)
    app = AppTest.from_file(NAVIGATION, default_timeout=30)
    app.session_state[REVIEWER] = "ada"
    app.switch_page("../pages/people.py").run()
    lea = next(person for person in people.everybody(installation, "ada") if person.name == "lea")
    app.selectbox(key=f"people.role.{lea.id}").select("admin").run()
    assert people.may(installation, "lea", "admin")
    app.text_input(key="people.new.name").set_value("cy@example.org")
    app.button(key="people.new.save").click().run()
    names = [person.name for person in people.everybody(installation, "ada")]
    assert "cy@example.org" in names


def test_the_last_admin_is_told_so(installation: Runtime) -> None:
    team(installation)
    app = AppTest.from_file(NAVIGATION, default_timeout=30)
    app.session_state[REVIEWER] = "ada"
    app.switch_page("../pages/people.py").run()
    ada = people.everybody(installation, "ada")[0]
    app.selectbox(key=f"people.role.{ada.id}").select("lead").run()
    assert "last admin" in app.error[0].value
