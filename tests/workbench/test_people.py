"""Who works here and what their role allows."""

import pytest

from qe_core.config import load_settings
from qe_core.errors import ConflictError, ForbiddenError, ReviewError
from tests.desk_work import team
from workbench import people, preferences, retrain
from workbench.runtime import Runtime


def test_an_installation_without_people_belongs_to_whoever_has_its_files(runtime: Runtime) -> None:
    assert people.may(runtime, "ann", "admin")
    assert not people.is_anybody_known(runtime)


def test_the_first_person_on_an_own_machine_is_admin_the_next_an_annotator(
    runtime: Runtime,
) -> None:
    roles = [people.sign_in(runtime, name, is_new_admin=True).role for name in ("ann", "bob")]
    assert roles == ["admin", "annotator"]
    assert people.sign_in(runtime, "ann", is_new_admin=True).role == "admin"


def test_the_first_person_of_a_provider_is_no_admin_unless_the_settings_say_so(
    runtime: Runtime,
) -> None:
    assert people.sign_in(runtime, "a@x.org", subject="iss|1").role == "annotator"


def test_the_settings_name_admins(tmp_path: object) -> None:
    opened = Runtime(load_settings(data_dir=tmp_path, people={"admins": ["Boss@x.org"]}))
    try:
        assert people.sign_in(opened, "boss@x.org", subject="iss|1").role == "admin"
        people.set_role(opened, "b@x.org", "admin", actor="boss@x.org")
        people.set_role(opened, "boss@x.org", "annotator", actor="b@x.org")
        assert people.sign_in(opened, "boss@x.org", subject="iss|1").role == "admin"
    finally:
        opened.close()


def test_strangers_can_be_locked_out_by_default(tmp_path: object) -> None:
    opened = Runtime(load_settings(data_dir=tmp_path, people={"new_role": "none"}))
    try:
        people.sign_in(opened, "ann", is_new_admin=True)
        assert people.sign_in(opened, "bob").role == "none"
    finally:
        opened.close()


def test_a_person_is_known_by_the_account_not_by_the_address(runtime: Runtime) -> None:
    people.sign_in(runtime, "old@x.org", subject="iss|1")
    assert people.sign_in(runtime, "new@x.org", subject="iss|1").name == "old@x.org"
    for subject in ("iss|2", None):
        with pytest.raises(ForbiddenError, match="another account"):
            people.sign_in(runtime, "old@x.org", subject=subject)


def test_an_admin_lets_somebody_in_before_they_come(runtime: Runtime) -> None:
    team(runtime)
    people.set_role(runtime, " b@x.org ", "lead", actor="ada")
    person = people.sign_in(runtime, "b@x.org", subject="iss|7")
    assert (person.role, person.subject) == ("lead", "iss|7")


def test_only_admins_change_roles(runtime: Runtime) -> None:
    team(runtime)
    for actor in ("lea", "bob"):
        with pytest.raises(ForbiddenError, match="role “admin”"):
            people.set_role(runtime, "bob", "lead", actor=actor)
        with pytest.raises(ForbiddenError):
            people.everybody(runtime, actor)
    people.set_role(runtime, "bob", "lead", actor="ada")
    assert [(person.name, person.role) for person in people.everybody(runtime, "ada")] == [
        ("ada", "admin"),
        ("bob", "lead"),
        ("lea", "lead"),
    ]


def test_the_last_admin_stays_one(runtime: Runtime) -> None:
    team(runtime)
    for role in ("lead", "none"):
        with pytest.raises(ConflictError, match="last admin"):
            people.set_role(runtime, "ada", role, actor="ada")  # type: ignore[arg-type]  # literals
    people.set_role(runtime, "lea", "admin", actor="ada")
    assert people.set_role(runtime, "ada", "annotator", actor="ada").role == "annotator"
    assert people.set_role(runtime, "ada", "annotator", actor="lea").role == "annotator"


def test_roles_and_names_are_checked(runtime: Runtime) -> None:
    with pytest.raises(ReviewError, match="no role"):
        people.set_role(runtime, "bob", "boss", actor=None)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ReviewError, match="name"):
        people.set_role(runtime, "  ", "lead", actor=None)


def test_settings_and_models_are_for_admins(runtime: Runtime) -> None:
    team(runtime)
    for attempt in (
        lambda: preferences.set(runtime, "review.threshold", 0.5, "lea"),
        lambda: retrain.start(runtime, "lea"),
        lambda: retrain.promote(runtime, "v", "lea"),
        lambda: retrain.rollback(runtime, "lea"),
    ):
        with pytest.raises(ForbiddenError):
            attempt()
    preferences.set(runtime, "review.threshold", 0.5, "ada")
