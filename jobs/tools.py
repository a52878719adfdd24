"""What the commands need before they can begin: an engine, and the estimator that knows it."""

from pathlib import Path

from jobs.console import ProgressLine, say
from qe_core.asr.base import Engine
from qe_core.asr.provider import resolve_engine
from qe_core.asr.second import load_second
from qe_core.config import EngineSettings, Settings, bundled_path, load_settings
from qe_core.errors import EstimatorError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import ANY_ENGINE
from qe_core.features import DEPTHS, depths_from
from qe_core.pipeline import depth_of

__all__ = ["open_engine", "open_estimator", "open_second", "settings_for"]


def settings_for(engine: str | None) -> Settings:
    """The settings, with another engine where the command line names one."""
    settings = load_settings()
    if engine is None:
        return settings
    section = EngineSettings.model_validate({**settings.engine.model_dump(), "name": engine})
    return settings.model_copy(update={"engine": section})


def open_engine(settings: Settings) -> Engine:
    """Load the recogniser of the settings and say which one it is.

    Raises:
        EngineError: it cannot be loaded
    """
    progress = ProgressLine("engine")
    resolved = resolve_engine(settings.engine, progress)
    progress.clear()
    say(resolved.why)
    return resolved.engine


def open_estimator(folder: Path | None, engine: Engine, settings: Settings) -> Estimator:
    """Load an estimator from a folder, or the built-in one that fits engine and depth.

    Raises:
        EstimatorError: the folder holds none
    """
    if folder is not None:
        return Estimator.load(folder)
    built_in = [
        Estimator.load(manifest.parent)
        for manifest in sorted(bundled_path("models").glob("*/manifest.json"))
    ]
    by_depth = {
        estimator.manifest.depth: estimator
        for estimator in built_in
        if (estimator.manifest.engine, estimator.manifest.model) == (engine.name, engine.model)
    }
    for depth in (*depths_from(settings.quality.depth), *DEPTHS):
        if depth in by_depth:
            return by_depth[depth]
    # Whoever looks at the transcript, too, is less rough.
    for estimator in sorted(built_in, key=lambda item: item.manifest.kind, reverse=True):
        if estimator.manifest.engine == ANY_ENGINE:
            how = (
                "judges by the sound alone"
                if estimator.manifest.kind == "audio"
                else "judges by what all recognisers have in common"
            )
            say(
                f"No estimator knows {engine.name}:{engine.model} yet, so {estimator.manifest.id} "
                f"{how}, which is rougher. `werkbench calibrate` fits it with references."
            )
            return estimator
    raise EstimatorError(
        "There is no built-in estimator.",
        suggestion="Restore the folder models/, install Werkbench again, or give --estimator.",
    )


def open_second(estimator: Estimator, settings: Settings) -> Engine | None:
    """Load the recogniser that gives second opinions where the estimator looks at them.

    Raises:
        EngineError: it cannot be loaded
    """
    return load_second(settings.engine) if depth_of(estimator) == "thorough" else None
