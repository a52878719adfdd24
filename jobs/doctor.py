"""What works on this machine, what doesn't, and what to do about it."""

import logging
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from jobs.console import inert, print_json
from qe_core.config import Settings, bundled_path, load_settings
from qe_core.errors import EngineError, WerkbenchError

__all__ = ["Finding", "examine", "find_all"]

State = Literal["ok", "note", "problem"]
_MARKS: dict[State, str] = {"ok": "✓", "note": "·", "problem": "✗"}
_MIN_PYTHON = (3, 11)
_MIN_FREE_GB = 1.0
# Import name by package, of everything that the app cannot start without.
_PACKAGES = {
    "av": "av",
    "duckdb": "duckdb",
    "duckdb-engine": "duckdb_engine",
    "fastapi": "fastapi",
    "jiwer": "jiwer",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "pocketsphinx": "pocketsphinx",
    "scikit-learn": "sklearn",
    "soundfile": "soundfile",
    "sqlmodel": "sqlmodel",
    "streamlit": "streamlit",
    "streamlit-webrtc": "streamlit_webrtc",
    "uvicorn": "uvicorn",
    "xgboost-cpu": "xgboost",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what was looked at
        state: ``ok``, ``note`` (works without) or ``problem`` (the app cannot start or work)
        text: what was found
        suggestion: what to do; empty when nothing has to be done
    """

    name: str
    state: State
    text: str
    suggestion: str = ""


def examine(*, as_json: bool) -> bool:
    """Print every finding; whether there is no problem among them."""
    # Streamlit warns when it is imported outside its server.
    logging.disable(logging.WARNING)
    try:
        verdicts = [_print(finding, as_json=as_json) for finding in find_all()]
    finally:
        logging.disable(logging.NOTSET)
    return all(verdicts)


def _print(finding: Finding, *, as_json: bool) -> bool:
    if as_json:
        print_json(asdict(finding))
    else:
        print(f"{_MARKS[finding.state]} {finding.name}: {inert(finding.text)}", flush=True)
        if finding.suggestion:
            print(f"  → {inert(finding.suggestion)}", flush=True)
    return finding.state != "problem"


def find_all() -> Iterator[Finding]:
    """Look at one thing after the other; later ones need the settings of the first."""
    yield _python()
    yield _packages()
    try:
        settings = load_settings()
    except WerkbenchError as error:
        yield Finding("settings", "problem", error.message, error.suggestion)
        return
    yield Finding("settings", "ok", f"environment {settings.env}, data in {settings.data_dir}/")
    checks: tuple[Callable[[Settings], Finding], ...] = (
        _data_folder,
        _database,
        _whisper,
        _pocketsphinx,
        _voice_activity,
        _estimators,
        _samples,
        _address,
        _microphone,
        _alert_rules,
    )
    for check in checks:
        yield check(settings)


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < _MIN_PYTHON:
        return Finding("python", "problem", text, "Install Python 3.11 or newer.")
    return Finding("python", "ok", text)


def _packages() -> Finding:
    broken: list[str] = []
    for package, module in _PACKAGES.items():
        try:
            version(package)
            import_module(module)
        except PackageNotFoundError:
            broken.append(f"{package} is not installed")
        # A package whose system library is missing raises ImportError or OSError.
        except (ImportError, OSError) as error:
            broken.append(f"{package} cannot be loaded ({error})")
    if broken:
        return Finding(
            "packages", "problem", "; ".join(broken) + ".", "Run script/run, or: pip install ."
        )
    return Finding("packages", "ok", f"all {len(_PACKAGES)} can be loaded")


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir.absolute()
    # Nothing is made here: the folder appears at the first start.
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(
            "data folder",
            "problem",
            f"{folder} cannot be written ({error.strerror}).",
            "Set WERKBENCH_DATA_DIR to a folder that you may write.",
        )
    free_gb = shutil.disk_usage(place).free / 1e9
    text = f"{folder} can be written, {free_gb:.1f} GB free"
    if free_gb < _MIN_FREE_GB:
        return Finding("data folder", "note", text, "Make room; audio is kept there.")
    return Finding("data folder", "ok", text)


def _database(settings: Settings) -> Finding:
    from storage.database import Database

    path = settings.database_path
    if not path.exists():
        return Finding("database", "ok", f"{path} will be made at the first start")
    try:
        Database(path).close()
    except WerkbenchError as error:
        # An app that runs holds the file: that is how it should be.
        return Finding("database", "note", error.message, error.suggestion)
    return Finding("database", "ok", f"{path} can be opened, no other process holds it")


def _whisper(settings: Settings) -> Finding:
    from qe_core.asr.whisper import find_model, read_note

    name, _, model = settings.engine.name.partition(":")
    wanted = model or settings.engine.whisper_model
    try:
        folder = find_model(wanted, settings.engine, _refuse_download)
    except EngineError as error:
        state: State = "problem" if name == "whisper" and error.code != "fetched_later" else "note"
        return Finding("engine whisper", state, error.message, error.suggestion)
    note = read_note(wanted, settings.engine)
    state = "note" if note else "ok"
    return Finding("engine whisper", state, f"model {wanted} in {folder}", note or "")


def _refuse_download(_share: float, _step: str) -> None:
    """Called right before a download begins: looking must not fetch hundreds of megabytes."""
    raise EngineError(
        "The Whisper model is not on this machine yet, but the model hub answers.",
        suggestion="Nothing has to be done: it is fetched when it is first needed.",
        code="fetched_later",
    )


def _pocketsphinx(settings: Settings) -> Finding:
    from qe_core.asr.base import get_factory
    from qe_core.asr.provider import resolve_engine  # noqa: F401  importing it registers engines

    try:
        engine = get_factory("pocketsphinx")(settings.engine, None, None)
    except EngineError as error:
        return Finding("engine pocketsphinx", "problem", error.message, error.suggestion)
    return Finding(
        "engine pocketsphinx", "ok", f"model {engine.model}, English only; works without a network"
    )


def _voice_activity(_: Settings) -> Finding:
    import numpy as np

    from qe_core.types import SAMPLE_RATE_HZ, Audio, SourceFormat
    from qe_core.vad import find_speech

    silence = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
    try:
        find_speech(Audio(silence, SourceFormat("wav", "pcm_f32le", SAMPLE_RATE_HZ, 1)))
    except (ImportError, OSError, RuntimeError) as error:
        return Finding(
            "voice activity", "problem", f"does not run ({error}).", "Install faster-whisper again."
        )
    return Finding("voice activity", "ok", "Silero VAD runs")


def _estimators(settings: Settings) -> Finding:
    from qe_core.estimation.estimator import Estimator

    names: list[str] = []
    for folder in sorted(bundled_path("models").glob("*/manifest.json")):
        try:
            names.append(Estimator.load(folder.parent).manifest.id)
        except WerkbenchError as error:
            return Finding("quality models", "problem", error.message, error.suggestion)
    if not names:
        return Finding(
            "quality models", "problem", "none is here.", "Restore models/, or run werkbench train."
        )
    own = len(list(Path(settings.models_dir).glob("*/manifest.json")))
    return Finding("quality models", "ok", f"{', '.join(names)}; {own} retrained here")


def _samples(_: Settings) -> Finding:
    number = len(list(bundled_path("sample_audio").glob("*.*")))
    if number == 0:
        return Finding("samples", "note", "none is here.", "Restore sample_audio/.")
    return Finding("samples", "ok", f"{number} files in {bundled_path('sample_audio')}")


def _address(settings: Settings) -> Finding:
    server = settings.server
    text = f"the app listens on {server.host}:{server.port}"
    if server.host in {"127.0.0.1", "localhost", "::1"}:
        return Finding("address", "ok", f"{text}, this machine only")
    return Finding(
        "address",
        "note",
        f"{text}: everybody who reaches this machine reaches the app, without a password.",
        "Put a proxy with passwords and HTTPS in front of it.",
    )


def _alert_rules(settings: Settings) -> Finding:
    from workbench.alerts import load_rules

    try:
        num_rules = len(load_rules(settings))
    except WerkbenchError as error:
        return Finding("alert rules", "problem", error.message, error.suggestion)
    if not settings.alerts.is_enabled:
        return Finding("alert rules", "ok", f"{num_rules}, switched off by alerts.is_enabled")
    told = "on screen and in the log" + (
        ", and a webhook is told" if settings.alerts.webhook_url else ""
    )
    return Finding("alert rules", "ok", f"{num_rules}, {told}")


def _microphone(settings: Settings) -> Finding:
    if settings.server.host in {"127.0.0.1", "localhost", "::1"}:
        return Finding("microphone", "ok", "browsers on this machine may use it")
    return Finding(
        "microphone",
        "note",
        "browsers on other machines give it to HTTPS pages only.",
        "Serve the app over HTTPS; streaming across networks also needs a TURN server.",
    )
