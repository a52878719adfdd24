"""What one process holds: settings, database, media, recogniser, estimators, worker."""

import logging
import threading
from dataclasses import replace
from itertools import product
from pathlib import Path

from qe_core.asr.base import Engine, Progress
from qe_core.asr.isolated import IsolatedEngine, isolate
from qe_core.asr.provider import Resolved, resolve_engine
from qe_core.asr.second import load_second
from qe_core.config import EngineSettings, Settings, bundled_path, load_settings
from qe_core.errors import EstimatorError, NotFoundError
from qe_core.estimation.builtin import folder_name
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import ANY_ENGINE
from qe_core.features import DEPTHS, Depth, deeper, depths_from
from qe_core.pipeline import depth_of
from storage.database import Database, Session
from storage.media import MediaStore
from storage.records import ModelVersion
from storage.repositories import clips, events, models, recognisers
from workbench import preferences, schedule
from workbench.alerts import Watch
from workbench.logs import configure_logging
from workbench.profiles import Profiles
from workbench.worker import BESIDE, Worker

__all__ = [
    "BUILT_IN_AUDIO",
    "BUILT_IN_TRANSCRIPT",
    "Owner",
    "Runtime",
    "close_runtime",
    "get_runtime",
]

_log = logging.getLogger(__name__)

BUILT_IN_TRANSCRIPT = "quality-pocketsphinx-en-us"
BUILT_IN_AUDIO = "quality-audio-only"
_ANY = (ANY_ENGINE, ANY_ENGINE)
_AUTO, _WHISPER = "auto", "whisper"

Owner = tuple[str, str]
"""Engine and model: whose transcripts an estimator judges."""


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
        self.settings_in_force: tuple[int, Settings] | None = None
        self.database = Database(settings.database_path)
        try:
            applied = self.database.migrate()
            self.media = MediaStore(settings.media_dir)
            self._sweep(is_new=1 in applied)
            self.watch = Watch(self)
        except BaseException:
            self.database.close()
            raise
        # Both, since either may be busy for hours.
        self.worker = Worker(self, on_idle=lambda: schedule.begin_what_is_due(self))
        self.trainer = Worker(self, kinds=BESIDE, on_idle=lambda: schedule.begin_what_is_due(self))
        self._engine_lock = threading.Lock()
        self._engine: tuple[EngineSettings, Resolved] | None = None
        self._second_lock = threading.Lock()
        self._second: Engine | None = None
        self._estimator_lock = threading.Lock()
        self._estimators: dict[Path, Estimator] = {}
        self._profiles = Profiles()

    def close(self) -> None:
        """Stop watch and workers, and close the database."""
        self.watch.stop()
        self.trainer.stop()
        self.worker.stop()
        with self._engine_lock:
            self._let_go_of_engine()
        with self._second_lock:
            if isinstance(self._second, IsolatedEngine):
                self._second.close()
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

    def second_engine(self) -> Engine:
        """The recogniser that gives second opinions; loaded when it is first needed.

        Raises:
            EngineError: it cannot be loaded
        """
        with self._second_lock:
            if self._second is None:
                self._second = load_second(preferences.get(self).engine)
            return self._second

    def loaded_engine(self) -> Resolved | None:
        """The recogniser if it is loaded; never waits."""
        loaded = self._engine
        return None if loaded is None else loaded[1]

    def estimator(self, owner: Owner | None = None) -> Estimator:
        """The champion for transcripts of a recogniser.

        The latest promotion decides; without one, or when its files are damaged, the built-in
        estimator serves. A fine-tuned recogniser that has neither is judged by the estimator of the
        one that it was made from, see :meth:`inherits_from`; any other by the one for any.

        Args:
            owner: engine and model; those in use, or in the settings, by default

        Raises:
            EstimatorError: not even a built-in estimator can be loaded
        """
        owner = owner or self.owner()
        return self._own(owner) or self.inherited(owner) or self.estimator_for_any(owner)

    def inherits_from(self, owner: Owner | None = None) -> Owner | None:
        """The recogniser whose estimator judges a fine-tuned one, for want of one of its own.

        Args:
            owner: as for :meth:`estimator`

        Returns:
            ``None`` where an estimator of its own serves, or none that could be inherited

        Raises:
            EstimatorError: not even a built-in estimator can be loaded
        """
        at: Owner | None = owner or self.owner()
        first = at
        while at is not None and self._own(at) is None:
            with self.database.session() as session:
                base = recognisers.find_base(session, at[1]) if at[0] == _WHISPER else None
            at = None if base is None else (at[0], base)
        return None if at == first else at

    def inherited(self, owner: Owner | None = None) -> Estimator | None:
        """The estimator that a fine-tuned recogniser has from the one that it was made from.

        It is the same one, but takes this recogniser's transcripts.

        Args:
            owner: as for :meth:`estimator`
        """
        owner = owner or self.owner()
        heir_of = self.inherits_from(owner)
        estimator = None if heir_of is None else self._own(heir_of)
        if estimator is None:
            return None
        return replace(estimator, manifest=replace(estimator.manifest, model=owner[1]))

    def depth(self, owner: Owner | None = None) -> Depth:
        """Which features are computed for the transcripts of a recogniser.

        Those that the settings ask for, and those of the estimator that serves.

        Args:
            owner: as for :meth:`estimator`

        Raises:
            EstimatorError: not even a built-in estimator can be loaded
        """
        return deeper(preferences.get(self).quality.depth, depth_of(self.estimator(owner)))

    def training_depth(self, owner: Owner | None = None) -> Depth:
        """Which features the next estimator for a recogniser looks at.

        Those that the settings ask for, as far as there are built-in examples with them, and those
        of the estimator that serves.

        Args:
            owner: as for :meth:`estimator`

        Raises:
            EstimatorError: not even a built-in estimator can be loaded
        """
        owner = owner or self.owner()
        built_in = self._built_in(owner)
        depth = preferences.get(self).quality.depth if built_in is None else built_in.manifest.depth
        return deeper(depth, depth_of(self.estimator(owner)))

    def _own(self, owner: Owner) -> Estimator | None:
        return self._promoted("transcript", owner) or self._built_in(owner)

    def estimator_for_any(self, owner: Owner) -> Estimator:
        """The estimator for any recogniser, reading the ranks of one; whether it serves or not.

        Args:
            owner: whose transcripts are to be judged

        Raises:
            EstimatorError: not even a built-in estimator can be loaded
        """
        built_in = self._load(self._built_in_folder(_ANY))
        if _owner_of(built_in) != _ANY:
            return self.audio_estimator()
        return replace(built_in, profile=self._profiles.of(self, owner))

    def _built_in(self, owner: Owner) -> Estimator | None:
        built_in = self._load(self._built_in_folder(owner))
        return built_in if _owner_of(built_in) == owner else None

    def version(self, version: ModelVersion) -> Estimator:
        """A trained version, whether it serves or not.

        Raises:
            EstimatorError: its files are damaged, or its features are of another Werkbench version
        """
        return _checked(self._load(self.model_folder(version)))

    def built_in_estimator(self, depth: Depth | None = None) -> Estimator:
        """The estimator of transcripts that travels with Werkbench, whether it serves or not."""
        return self._load(self.built_in_folder(depth))

    def built_in_folder(self, depth: Depth | None = None) -> Path:
        """Where the built-in estimator of the recogniser in use lies, or the one for any.

        Args:
            depth: of this depth, as far as there is one; that of the settings by default
        """
        return self._built_in_folder(self.owner(), depth)

    def _built_in_folder(self, owner: Owner, depth: Depth | None = None) -> Path:
        wanted = depth or preferences.get(self).quality.depth
        # Rather a deeper one than none that knows the recogniser.
        depths = dict.fromkeys((*depths_from(wanted), *DEPTHS))
        for known, candidate in product((owner, _ANY), depths):
            folder = bundled_path("models", folder_name(known[0], known[1], candidate))
            if (folder / "manifest.json").is_file():
                return folder
        return bundled_path("models", BUILT_IN_TRANSCRIPT)

    def audio_estimator(self) -> Estimator:
        """The champion that judges sound alone."""
        return self._promoted("audio", _ANY) or self._load(bundled_path("models", BUILT_IN_AUDIO))

    def model_folder(self, version: ModelVersion) -> Path:
        """Where a trained version lies."""
        return self.settings.models_dir / version.folder

    def owner(self) -> Owner:
        """Engine and model in use, or those that the settings will load as far as they say."""
        settings, loaded = preferences.get(self).engine, self._engine
        # The former one stays loaded until the one that was chosen since is needed.
        if loaded is not None and loaded[0] == settings:
            return loaded[1].engine.name, loaded[1].engine.model
        name, _, model = settings.name.partition(":")
        if name == _WHISPER:
            return name, Path(model or settings.whisper_model).name
        built_in = _owner_of(self._load(bundled_path("models", BUILT_IN_TRANSCRIPT)))
        return built_in if name in (_AUTO, built_in[0]) else (name, model)

    def _promoted(self, kind: str, owner: Owner) -> Estimator | None:
        with self.database.session() as session:
            promotion = models.find_latest_promotion(session, kind=kind, owner=owner)
            if promotion is None or promotion.version_id is None:
                return None
            version_id = promotion.version_id
        try:
            with self.database.session() as session:
                version = models.get_version(session, version_id)
            return self.version(version)
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


def _owner_of(estimator: Estimator) -> Owner:
    return estimator.manifest.engine, estimator.manifest.model


def _checked(estimator: Estimator) -> Estimator:
    """A version trained before the features changed cannot serve any more."""
    if not estimator.manifest.is_current:
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
