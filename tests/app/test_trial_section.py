"""A challenger on trial, as the settings page shows it."""

import pytest

from storage.database import Session
from storage.repositories import assessments, shadows
from tests.app.conftest import OpenPage
from tests.stored_clips import add_clip, add_review, estimate
from tests.stored_versions import add_version
from workbench import champions, shadow
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


def test_champion_and_challenger_stand_side_by_side_until_one_is_chosen(
    installation: Runtime, open_page: OpenPage
) -> None:
    owner = ("pocketsphinx", "en-us")

    def work(session: Session) -> str:
        version = add_version(
            session,
            "x",
            estimator="the-challenger",
            owner=owner,
            manifest={"normaliser": "basic-1"},
            report={"is_passed": True, "left_out": {"num_rejected": 3}, "conditions": CONDITIONS},
        )
        champions.note_decision(session, owner, version.id, "shadow", None)
        clip_id = add_clip(session, "a", expected_errors=1.0)
        beside = assessments.find_latest(session, clip_id)
        assert beside is not None
        shadows.add(session, version.id, beside, estimate(2.0, 4))
        add_review(session, clip_id, "one two x y", policy="audit")
        return version.id

    version_id = installation.database.write(work)

    app = open_page("settings")

    text = " ".join(item.value for item in (*app.markdown, *app.caption))
    assert "**On trial:**" in text
    assert "9 of 10 audits" in text
    assert "could not use: 3 rejected" in text
    table = next(item.value for item in app.table if "Challenger" in item.value.columns)
    assert table["Champion"].tolist()[0] == "25 %"
    assert table["Challenger"].tolist()[0] == "50 %"
    assert any(f"werkbench reproduce {version_id}" in item.value for item in app.code)

    app.button(key="settings.trial.drop").click().run()
    assert not app.exception
    assert shadow.find(installation) is None


CONDITIONS = [{"name": "gain", "passed": True, "text": "At least one figure is better."}]
