"""One fine-tuning from clips to a judged model folder."""

import gc
import json
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from qe_core.asr.base import Engine, Progress
from qe_core.config import EngineSettings, FinetuneSettings
from qe_core.errors import TrainingError
from qe_core.recogniser.dataset import DataSet, SpokenClip
from qe_core.recogniser.finetune import Lesson, Tuning, tune
from qe_core.recogniser.finetune_export import CHECKPOINT, export
from qe_core.recogniser.finetune_judge import Comparison, compare, open_recogniser, transcribe
from qe_core.recogniser.finetune_model import load_model, save_model
from qe_core.recogniser.finetune_windows import Scribe, Window, cut_windows

__all__ = ["MODEL", "Outcome", "Task", "fine_tune"]

_log = logging.getLogger(__name__)

MODEL = "model"
"""Folder within the work folder that the finished model lies in."""

# Shares of the whole that the steps take, roughly.
_CUT, _TRAINED, _EXPORTED = 0.1, 0.8, 0.82


@dataclass(frozen=True, slots=True)
class Task:
    """What a fine-tuning needs; all of it can be written as JSON.

    Args:
        serving: CTranslate2 folder of the serving model
        checkpoint: Hugging Face folder that it was converted from
        work: empty folder for everything that is made
        data: corrected clips
        replay: other speech that must not be forgotten; may be empty
        settings: of the training
        engine: of the recogniser
    """

    serving: Path
    checkpoint: Path
    work: Path
    data: DataSet
    replay: DataSet
    settings: FinetuneSettings
    engine: EngineSettings

    def to_json(self) -> str:
        """See :meth:`from_json`."""
        return json.dumps(_TASK.dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Task":
        """Read what :meth:`to_json` wrote."""
        return _TASK.validate_python(json.loads(text))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fine-tuning.

    Args:
        tuning: how the training went
        test: both recognisers on held-out clips; ``None`` when the old weights were best
        replay: both on held-out clips of other speech, if there is any
        version_before: engine version of the serving model
        version_after: engine version of the new one; empty when the old weights were best
        num_unfit: clips that did not fit into a window, by part
        num_windows: windows that were learnt from in one pass, by part
        timings_s: wall seconds of every step
    """

    tuning: Tuning
    test: Comparison | None
    replay: Comparison | None
    version_before: str
    version_after: str
    num_unfit: Mapping[str, int]
    num_windows: Mapping[str, int]
    timings_s: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Outcome":
        """Read what :meth:`to_dict` made."""
        return _OUTCOME.validate_python(record)


_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


def fine_tune(task: Task, on_progress: Progress | None = None) -> Outcome:
    """Train, export and judge; the new model is in ``task.work / MODEL``.

    Nothing outside the work folder is touched. When the old weights are best, no model is left.

    Args:
        task: what to do
        on_progress: told how far it is

    Returns:
        how it went; whoever asked decides what serves

    Raises:
        TrainingError: the checkpoint is not usable, or no clip fits into a window
        EngineError: a recogniser cannot be loaded or failed
    """
    import torch

    tell = on_progress or (lambda _share, _text: None)
    steps = _Steps()
    torch.set_num_threads(task.settings.num_threads or max(1, torch.get_num_threads() // 2))
    tell(0.0, "reading the checkpoint")
    model = load_model(task.checkpoint)
    lesson, num_unfit = _cut(task, model, tell)
    steps.end("windows")
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    tuning = tune(
        model,
        lesson,
        task.settings,
        lambda share, text: tell(_CUT + share * (_TRAINED - _CUT), text),
    )
    steps.end("training")
    tell(_TRAINED, "converting")
    is_new = tuning.share > 0
    if is_new:
        save_model(model, task.checkpoint, task.work / MODEL / CHECKPOINT)
    del model
    gc.collect()
    shutil.rmtree(task.work / "windows")
    if is_new:
        export(task.work / MODEL / CHECKPOINT, task.serving, task.work / MODEL)
    steps.end("export")
    test, replay, versions = _judge(task, is_new=is_new, tell=tell)
    steps.end("judging")
    _log.info("Fine-tuned in %.0f s, share %.2f.", sum(steps.timings_s.values()), tuning.share)
    return Outcome(
        tuning=tuning,
        test=test,
        replay=replay,
        version_before=versions[0],
        version_after=versions[1],
        num_unfit=num_unfit,
        num_windows={
            "train": len(lesson.train),
            "validation": len(lesson.validation),
            "replay": len(lesson.replay),
            "replay_validation": len(lesson.replay_validation),
        },
        timings_s=steps.timings_s,
    )


class _Steps:
    """Wall seconds of every step."""

    def __init__(self) -> None:
        self.timings_s: dict[str, float] = {}
        self._since = time.monotonic()

    def end(self, name: str) -> None:
        now = time.monotonic()
        self.timings_s[name] = round(now - self._since, 2)
        self._since = now


def _cut(task: Task, model: Any, tell: Progress) -> tuple[Lesson, dict[str, int]]:
    scribe = Scribe(task.serving, model.config.vocab_size)
    parts: dict[str, Sequence[SpokenClip]] = {
        "train": task.data.train,
        "validation": task.data.validation,
        "replay": task.replay.train,
        "replay_validation": task.replay.validation,
    }
    windows: dict[str, list[Window]] = {}
    num_unfit = {}
    for number, (name, clips) in enumerate(parts.items()):
        tell(_CUT * number / len(parts), "reading clips")
        windows[name], num_unfit[name] = cut_windows(
            clips,
            scribe,
            task.work / "windows" / name,
            max_tokens=model.config.max_target_positions,
        )
    if not windows["train"] or not windows["validation"]:
        raise TrainingError(
            f"No clip fits into a window of {scribe.window_s:g} s with audible speech: "
            f"{num_unfit['train']} training and {num_unfit['validation']} validation clips do not.",
            suggestion="Review shorter clips, or clips with clearer speech.",
            code="no_windows",
        )
    return Lesson(**windows), num_unfit


def _judge(
    task: Task, *, is_new: bool, tell: Progress
) -> tuple[Comparison | None, Comparison | None, tuple[str, str]]:
    """Let the serving and the new model write the held-out clips, one model after the other."""
    settings = task.engine.model_copy(update={"cpu_threads": task.settings.num_threads})
    clips = [*task.data.test, *task.replay.test]
    serving = open_recogniser(task.serving, settings)
    if not is_new:
        return None, None, (serving.version, "")
    before = _written(task, serving, clips, lambda share: tell(_between(0, share), "judging"))
    version = serving.version
    del serving
    gc.collect()
    tuned = open_recogniser(task.work / MODEL, settings)
    after = _written(task, tuned, clips, lambda share: tell(_between(1, share), "judging"))
    num_test, seed = len(task.data.test), task.settings.seed
    test = compare(task.data.test, before[:num_test], after[:num_test], seed=seed)
    replay = None
    if task.replay.test:
        replay = compare(task.replay.test, before[num_test:], after[num_test:], seed=seed)
    return test, replay, (version, tuned.version)


def _between(turn: int, share: float) -> float:
    return _EXPORTED + (1.0 - _EXPORTED) * (turn + share) / 2


def _written(task: Task, engine: Engine, clips: Sequence[SpokenClip], tell: Any) -> list[str]:
    return transcribe(
        engine,
        clips,
        language=task.engine.language,
        on_progress=lambda share, _text: tell(share),
    )
