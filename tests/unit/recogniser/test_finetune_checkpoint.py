"""Where the trainable weights of the serving Whisper are looked for."""

from pathlib import Path

import pytest

from qe_core.errors import TrainingError
from qe_core.recogniser import finetune_checkpoint
from qe_core.recogniser.finetune_checkpoint import (
    fetch_checkpoint,
    find_checkpoint,
    require_packages,
)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "serving" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_the_checkpoint_beside_the_weights_is_taken(checkpoint: Path) -> None:
    assert find_checkpoint(None, checkpoint.parent, "any") == checkpoint
    assert fetch_checkpoint(checkpoint, timeout_s=0.1) == checkpoint


def test_a_configured_one_comes_first(checkpoint: Path, tmp_path: Path) -> None:
    assert find_checkpoint(str(checkpoint), tmp_path, "base") == checkpoint
    assert find_checkpoint("owner/model", checkpoint.parent, "base") == "owner/model"


@pytest.mark.parametrize("configured", ["gone", "a/b/c", "."])
def test_a_configured_one_that_is_none_is_refused(configured: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no config\.json") as caught:
        find_checkpoint(configured, tmp_path, "base")
    assert "finetune.checkpoint" in caught.value.suggestion


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("base", "openai/whisper-base"),
        ("small.en", "openai/whisper-small.en"),
        ("turbo", "openai/whisper-large-v3-turbo"),
        ("distil-large-v3", "distil-whisper/distil-large-v3"),
    ],
)
def test_whispers_own_sizes_are_known_on_the_hub(model: str, name: str, tmp_path: Path) -> None:
    assert find_checkpoint(None, tmp_path, model) == name


def test_a_folder_of_weights_alone_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint that could be trained"):
        find_checkpoint(None, tmp_path, str(tmp_path))


def test_a_hub_that_does_not_answer_is_an_error_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(finetune_checkpoint, "hub_answers", lambda _timeout_s: False)

    with pytest.raises(TrainingError, match="hub does not answer") as caught:
        fetch_checkpoint("openai/whisper-nothing", timeout_s=0.1)
    assert caught.value.code == "checkpoint_missing"


def test_missing_packages_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_packages()
    monkeypatch.setattr(finetune_checkpoint, "_PACKAGES", ("torch", "no_such_package"))

    with pytest.raises(TrainingError, match=r"not installed: no_such_package") as caught:
        require_packages()
    assert "werkbench[finetune]" in caught.value.suggestion
