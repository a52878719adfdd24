"""What one process holds: settings, database, media, recogniser, estimators, worker."""

import logging
import threading
from dataclasses import replace
from pathlib import Path

from qe_core.asr.base import Progress
from qe_core.asr.isolated import IsolatedEngine, isolate
from qe_core.asr.provider import Resolved, resolve_engine
from qe_core.config import EngineSettings, Settings, bundled_path, load_settings
from qe_core.errors import EstimatorError, NotFoundError
from qe_core.estimation.estimator import Estimator
from qe_core.features import AUDIO_ONLY, STANDARD
from qe_core.features.base import schema_of
from storage.database import Database, Session
from storage.media import MediaStore
from storage.records import ModelVersion
from storage.repositories import clips, events, models
from workbench import finetune_schedule, preferences
from workbench.alerts import Watch
from workbench.logs import configure_logging
from workbench.worker import BESIDE, Worker

__all__ = [
    "BUILT_IN_AUDIO",
    "BUILT_IN_TRANSCRIPT",
    "Runtime",
    "close_runtime",
    "get_runtime",
]

_log = logging.getLogger(__name__)

BUILT_IN_TRANSCRIPT = "quality-pocketsphinx-en-us"
BUILT_IN_AUDIO = "quality-audio-only"
_AUTO = "auto"


class Runtime:
    """Everything that is open while Werkbench runs; safe to share between threads.

    Opening it migrates the database and sweeps the media folder; recogniser and estimators are
    loaded when they are first needed, once.

    Args:
        settings: the configuration

    Raises:
        StorageError: the data folder cannot be used, e.g. because another Werkbench uses it
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_path)
        try:
            applied = self.database.migrate()
            self.media = MediaStore(settings.media_dir)
            self._sweep(is_new=1 in applied)
            self.watch = Watch(self)
        except BaseException:
            self.database.close()
            raise
        self.worker = Worker(self)
        self.trainer = Worker(
            self, kinds=BESIDE, on_idle=lambda: finetune_schedule.begin_if_due(self)
        )
        self._engine_lock = threading.Lock()
        self._engine: tuple[EngineSettings, Resolved] | None = None
        self._estimator_lock = threading.Lock()
        self._estimators: dict[Path, Estimator] = {}

    def close(self) -> None:
        """Stop watch and workers, and close the database."""
        self.watch.stop()
        self.trainer.stop()
        self.worker.stop()
        with self._engine_lock:
            self._let_go_of_engine()
        self.database.close()

    def engine(self, on_progress: Progress | None = None) -> Resolved:
        """The recogniser that the settings ask for; slow when it is not loaded yet.

        Args:
            on_progress: told what is being loaded

        Raises:
            EngineError: it cannot be loaded
        """
        wanted = preferences.get(self).engine
        with self._engine_lock:
            if self._engine is None or self._engine[0] != wanted:
                self._let_go_of_engine()  # two need not fit into memory together
                resolved = resolve_engine(wanted, on_progress)
                engine = isolate(resolved.engine, wanted)
                self._engine = (wanted, replace(resolved, engine=engine))
                _log.info("Recogniser: %s", self._engine[1].why)
            return self._engine[1]

    def _let_go_of_engine(self) -> None:
        former, self._engine = self._engine, None
        if former is not None and isinstance(former[1].engine, IsolatedEngine):
            former[1].engine.close()

    def loaded_engine(self) -> Resolved | None:
        """The recogniser if it is loaded; never waits."""
        loaded = self._engine
        return None if loaded is None else loaded[1]

    def estimator(self, engine: str | None = None) -> Estimator:
        """The champion for transcripts of an engine.

        The latest promotion decides; without one, or when its files are damaged, the built-in
        estimator serves, and for an engine that has none the one that judges sound alone.

        Args:
            engine: name of the engine; the one in use, or the one in the settings, by default

        Raises:
            EstimatorError: not even a built-in estimator can be loaded
        """
        engine = engine or self.engine_name()
        promoted = self._promoted("transcript", engine)
        if promoted is not None:
            return promoted
        for folder in (self.built_in_folder(), bundled_path("models", BUILT_IN_TRANSCRIPT)):
            built_in = self._load(folder)
            if built_in.manifest.engine in (engine, "any"):
                return built_in
        return self.audio_estimator()

    def built_in_estimator(self) -> Estimator:
        """The estimator of transcripts that travels with Werkbench, whether it serves or not."""
        return self._load(self.built_in_folder())

    def built_in_folder(self) -> Path:
        """Where the built-in estimator of the recogniser in use lies, or else PocketSphinx's."""
        loaded = self.loaded_engine()
        if loaded is not None:
            name = f"quality-{loaded.engine.name}-{loaded.engine.model}"
            folder = bundled_path("models", name)
            if (folder / "manifest.json").is_file():
                return folder
        return bundled_path("models", BUILT_IN_TRANSCRIPT)

    def audio_estimator(self) -> Estimator:
        """The champion that judges sound alone."""
        return self._promoted("audio", "any") or self._load(bundled_path("models", BUILT_IN_AUDIO))

    def model_folder(self, version: ModelVersion) -> Path:
        """Where a trained version lies."""
        return self.settings.models_dir / version.folder

    def engine_name(self) -> str:
        """Name of the recogniser in use, or of the one that the settings will load."""
        loaded = self.loaded_engine()
        if loaded is not None:
            return loaded.engine.name
        name = preferences.get(self).engine.name.partition(":")[0]
        if name != _AUTO:
            return name
        return self.built_in_estimator().manifest.engine

    def _promoted(self, kind: str, engine: str) -> Estimator | None:
        with self.database.session() as session:
            promotion = models.find_latest_promotion(session, kind=kind, engine=engine)
            if promotion is None or promotion.version_id is None:
                return None
            version_id = promotion.version_id
        try:
            with self.database.session() as session:
                version = models.get_version(session, version_id)
            return _checked(self._load(self.model_folder(version)))
        except (EstimatorError, NotFoundError) as error:
            self._note_fallback(version_id, error)
            return None

    def _note_fallback(self, version_id: str, error: EstimatorError | NotFoundError) -> None:
        """Say once per version that it is damaged and the built-in one serves."""

        def work(session: Session) -> bool:
            for event in events.list_recent(session, kind="champion_damaged"):
                if event.payload.get("version_id") == version_id:
                    return False
            payload = {"version_id": version_id, "error": error.message}
            events.add(session, "champion_damaged", payload=payload)
            return True

        if self.database.write(work):
            _log.error(
                "Model version %s cannot be loaded (%s); the built-in one serves.",
                version_id,
                error.message,
            )

    def _load(self, folder: Path) -> Estimator:
        with self._estimator_lock:
            if folder not in self._estimators:
                self._estimators[folder] = Estimator.load(folder)
            return self._estimators[folder]

    def _sweep(self, *, is_new: bool) -> None:
        with self.database.session() as session:
            known = clips.ids(session)
        if is_new and self.media.has_files():
            # A lost database must not take the audio with it.
            _log.warning(
                "The database is new but %s holds files; they are left alone.",
                self.settings.media_dir,
            )
            return
        swept = self.media.sweep(known)
        if swept.num_unfinished or swept.num_orphans:
            _log.info(
                "Removed %d unfinished and %d unacknowledged files.",
                swept.num_unfinished,
                swept.num_orphans,
            )
        for clip_id in swept.missing:
            _log.error("The audio file is missing.", extra={"clip_id": clip_id})


def _checked(estimator: Estimator) -> Estimator:
    """A version trained before the features changed cannot serve any more."""
    schema = schema_of(STANDARD if estimator.manifest.kind == "transcript" else AUDIO_ONLY)
    if estimator.manifest.schema != schema:
        raise EstimatorError(
            f"{estimator.manifest.id} was trained on features of another Werkbench version.",
            suggestion="Retrain on the settings page.",
        )
    return estimator


_lock = threading.Lock()
_runtime: Runtime | None = None


def get_runtime() -> Runtime:
    """The runtime of this process, opened at the first call.

    Raises:
        ConfigError: a setting is not allowed
        StorageError: the data folder cannot be used
    """
    global _runtime  # noqa: PLW0603 - DuckDB lets one process hold the file: one runtime
    with _lock:
        if _runtime is None:
            settings = load_settings()
            configure_logging(settings.logging)
            _runtime = Runtime(settings)
        return _runtime


def close_runtime() -> None:
    """Close the runtime of this process, if it is open."""
    global _runtime  # noqa: PLW0603 - see get_runtime
    with _lock:
        if _runtime is not None:
            _runtime.close()
            _runtime = None
