"""Where the trainable weights of the serving Whisper are."""

from importlib.util import find_spec
from pathlib import Path

from qe_core.asr.base import Progress
from qe_core.asr.whisper import hub_answers
from qe_core.errors import TrainingError
from qe_core.recogniser.finetune_export import CHECKPOINT

__all__ = ["fetch_checkpoint", "find_checkpoint", "require_packages"]

_PACKAGES = ("torch", "transformers", "safetensors")
_CONFIG = "config.json"
_FILES = ("*.json", "*.txt", "model*.safetensors")
_WHAT_TO_DO = (
    "Put the Hugging Face checkpoint of the serving model into a folder and set "
    "finetune.checkpoint to it, or to its name on the model hub."
)
# faster-whisper's names for models whose checkpoints are called otherwise on the hub.
_OTHER_NAMES = {
    "large": "openai/whisper-large-v3",
    "turbo": "openai/whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5",
}


def require_packages() -> None:
    """Refuse to train where the packages for it are not installed.

    Raises:
        TrainingError: one is missing
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise TrainingError(
            f"Fine-tuning needs packages that are not installed: {', '.join(missing)}.",
            suggestion="Install them: pip install 'werkbench[finetune]'.",
            code="packages",
        )


def find_checkpoint(configured: str | None, serving: Path, model: str) -> Path | str:
    """Find the checkpoint that the serving model was converted from.

    Args:
        configured: ``finetune.checkpoint`` of the settings: a folder or a name on the model hub
        serving: CTranslate2 folder of the serving model
        model: what the settings call that model, e.g. ``"base"``

    Returns:
        a folder on this machine, or a name on the model hub; nothing is fetched

    Raises:
        TrainingError: nobody knows where it could be
    """
    if configured is not None:
        folder = Path(configured).expanduser()
        if (folder / _CONFIG).is_file():
            return folder
        if folder.exists() or configured.count("/") != 1:
            raise TrainingError(
                f"finetune.checkpoint = {configured!r}: there is no {_CONFIG} in it.",
                suggestion=_WHAT_TO_DO,
                code="checkpoint",
            )
        return configured
    if (serving / CHECKPOINT / _CONFIG).is_file():
        return serving / CHECKPOINT
    name = _name_on_hub(model)
    if name is None:
        raise TrainingError(
            f"The recogniser {model!r} has no checkpoint that could be trained: there is no "
            f"folder {CHECKPOINT} beside its weights.",
            suggestion=_WHAT_TO_DO,
            code="checkpoint",
        )
    return name


def fetch_checkpoint(
    where: Path | str, *, timeout_s: float, on_progress: Progress | None = None
) -> Path:
    """The folder of a checkpoint; one on the model hub is fetched once.

    Args:
        where: as :func:`find_checkpoint` returns it
        timeout_s: how long a hub that does not answer is waited for
        on_progress: told when a download starts

    Raises:
        TrainingError: it is not on this machine and cannot be fetched
    """
    if isinstance(where, Path):
        return where
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(where, allow_patterns=list(_FILES), local_files_only=True))
        if any(folder.glob("model*.safetensors")):
            return folder
    except LocalEntryNotFoundError:
        pass
    missing = TrainingError(
        f"The checkpoint {where!r} is not on this machine and the model hub does not answer.",
        suggestion=_WHAT_TO_DO,
        code="checkpoint_missing",
    )
    if HF_HUB_OFFLINE or not hub_answers(timeout_s):
        raise missing
    if on_progress is not None:
        on_progress(0.0, f"downloading the checkpoint {where}")
    try:
        return Path(snapshot_download(where, allow_patterns=list(_FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise missing from error


def _name_on_hub(model: str) -> str | None:
    from faster_whisper import available_models

    if model not in available_models():
        return None
    if model in _OTHER_NAMES:
        return _OTHER_NAMES[model]
    owner = "distil-whisper" if model.startswith("distil-") else "openai"
    return f"{owner}/{model}" if owner == "distil-whisper" else f"{owner}/whisper-{model}"
