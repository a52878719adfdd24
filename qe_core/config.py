"""One frozen settings object, read once: the only reader of the environment.

Values come from ``config/<environment>.yaml`` (``WERKBENCH_ENV``, default ``dev``) and can each be
overridden by an environment variable: ``review.threshold`` is ``WERKBENCH_REVIEW__THRESHOLD``.
"""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from qe_core.config_fields import Count, Positive, Section, Share
from qe_core.config_learning import FinetuneSettings, RetrainSettings
from qe_core.errors import ConfigError

__all__ = [
    "AlertsSettings",
    "ApiSettings",
    "AudioSettings",
    "DriftSettings",
    "EngineSettings",
    "FinetuneSettings",
    "IceServer",
    "LoggingSettings",
    "MetricsSettings",
    "MicrophoneSettings",
    "PeopleSettings",
    "QualitySettings",
    "RetrainSettings",
    "ReviewSettings",
    "ServerSettings",
    "Settings",
    "bundled_path",
    "load_settings",
]

_PREFIX = "WERKBENCH_"


def _check_url(url: str | SecretStr) -> str | SecretStr:
    text = url if isinstance(url, str) else url.get_secret_value()
    if re.fullmatch(r"https?://[^\s/]+\S*", text) is None:
        raise ValueError("an address that begins with http:// or https:// is needed")
    return url


HttpUrl = Annotated[str, AfterValidator(_check_url)]
Token = Annotated[SecretStr, Field(min_length=16)]
SecretUrl = Annotated[SecretStr, AfterValidator(_check_url)]


class ServerSettings(Section):
    """Where the app listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8501
    allowed_hosts: tuple[str, ...] = ()


class AudioSettings(Section):
    """What is accepted as a clip."""

    min_size_bytes: Count = 1024
    min_duration_s: Positive = 0.5
    max_duration_s: Positive = 7200.0
    max_upload_mb: Count = 2048


class EngineSettings(Section):
    """Which recogniser writes the hypotheses.

    ``name`` is ``auto``, ``pocketsphinx``, ``whisper`` or ``whisper:<model name or folder>``. The
    three thresholds are Whisper's own (Radford et al., 2022, §4.5).
    """

    name: str = "auto"
    whisper_model: str = "base"
    language: str | None = None
    beam_size: Count = 5
    cpu_threads: Annotated[int, Field(ge=0)] = 0
    fetch_timeout_s: Positive = 5.0
    max_chunk_s: Annotated[float, Field(ge=5.0, le=30.0)] = 20.0
    batch_size: Annotated[int, Field(ge=1, le=64)] = 1
    prompt: str = ""
    log_prob_threshold: Annotated[float, Field(le=0.0)] = -1.0
    no_speech_threshold: Share = 0.6
    compression_ratio_threshold: Positive = 2.4
    hallucination_silence_s: Positive | None = None


class QualitySettings(Section):
    """How estimates are made."""

    interval_level: Annotated[float, Field(ge=0.5, le=0.99)] = 0.9
    depth: Literal["fast", "standard", "thorough"] = "standard"
    num_reasons: Count = 3
    # How long a challenger is tried on new clips before it serves; 0 and 0: not at all.
    shadow_hours: Annotated[float, Field(ge=0.0)] = 0.0
    shadow_clips: Annotated[int, Field(ge=0)] = 0
    shadow_audits: Annotated[int, Field(ge=0)] = 10


class ReviewSettings(Section):
    """When a clip is flagged and how it is drawn and held."""

    threshold: Annotated[float, Field(ge=0.0, le=2.0)] = 0.3
    claim_s: Positive = 900.0
    # DESIGN §5.7: shares of the queue by expected errors, by uncertainty, and uniform (audit).
    share_expected_errors: Share = 0.70
    share_uncertain: Share = 0.15
    share_audit: Share = 0.15
    reviewer: str = "annotator"
    shows_names: bool = False
    # Whoever accepts without listening agrees with the machine, not with the speaker.
    min_listened_share: Share = 0.5
    double_share: Share = 0.0
    # Both are chosen on the settings page; keys name an action of ui/desk/keys.json.
    glossary: tuple[str, ...] = ()
    keys: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class PeopleSettings(Section):
    """Who may come in, and as what; see docs/adr/0004-people-and-roles.md."""

    admins: tuple[str, ...] = ()
    new_role: Literal["annotator", "lead", "admin", "none"] = "annotator"
    trust_network: bool = False


class DriftSettings(Section):
    """How two windows are compared."""

    window_days: Count = 7
    baseline_days: Count = 90
    # More clips find moves that nobody needs to know of, and take longer.
    max_clips: Annotated[int, Field(ge=100)] = 1000
    min_clips: Count = 30
    min_recordings: Count = 8
    num_permutations: Annotated[int, Field(ge=99)] = 400
    false_discovery_rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.05


class AlertsSettings(Section):
    """Which rules are checked, how often, and who is told."""

    is_enabled: bool = True
    rules_file: Path | None = None
    interval_s: Annotated[float, Field(ge=1.0)] = 60.0
    # The WER of the stream and drift look at every clip.
    slow_interval_s: Annotated[float, Field(ge=1.0)] = 600.0
    webhook_url: SecretUrl | None = None
    webhook_token: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    external_url: HttpUrl | None = None


class MetricsSettings(Section):
    """Where commands that end before anybody scrapes them leave their metrics."""

    pushgateway_url: HttpUrl | None = None


class IceServer(Section):
    """A STUN or TURN server, as browsers name them."""

    urls: str
    username: str | None = None
    credential: SecretStr | None = None


class MicrophoneSettings(Section):
    """Live recording; ``ice_servers`` are needed only when browser and server are far apart."""

    ice_servers: tuple[IceServer, ...] = ()


class ApiSettings(Section):
    """The HTTP API."""

    is_enabled: bool = True
    tokens: tuple[Token, ...] = ()


class LoggingSettings(Section):
    """How the log looks."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Settings(BaseSettings):
    """Every setting of Werkbench; see ``config/`` for the values of each environment."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    env: str = "dev"
    data_dir: Path = Path("data")
    server: ServerSettings = ServerSettings()
    audio: AudioSettings = AudioSettings()
    engine: EngineSettings = EngineSettings()
    quality: QualitySettings = QualitySettings()
    review: ReviewSettings = ReviewSettings()
    people: PeopleSettings = PeopleSettings()
    retrain: RetrainSettings = RetrainSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    drift: DriftSettings = DriftSettings()
    alerts: AlertsSettings = AlertsSettings()
    metrics: MetricsSettings = MetricsSettings()
    microphone: MicrophoneSettings = MicrophoneSettings()
    api: ApiSettings = ApiSettings()
    logging: LoggingSettings = LoggingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        del dotenv_settings, file_secret_settings
        file = YamlConfigSettingsSource(settings_cls, yaml_file=_config_file())
        return init_settings, env_settings, file

    @property
    def database_path(self) -> Path:
        """The one DuckDB file."""
        return self.data_dir / "werkbench.duckdb"

    @property
    def media_dir(self) -> Path:
        """Where audio is kept, once, by content hash."""
        return self.data_dir / "media"

    @property
    def recognisers_dir(self) -> Path:
        """Where recognisers that learnt from corrections are kept."""
        return self.data_dir / "recognisers"

    @property
    def models_dir(self) -> Path:
        """Where retrained estimators are kept; built-in ones travel with the package."""
        return self.data_dir / "models"


def bundled_path(*parts: str) -> Path:
    """Path of something that travels with the package: ``config``, ``models``, ``sample_audio``.

    In a checkout these are top-level folders; in an installed wheel they lie inside ``qe_core``.
    """
    package = Path(__file__).resolve().parent
    inside = package / "_bundled"
    return (inside if inside.is_dir() else package.parent).joinpath(*parts)


def load_settings(**overrides: Any) -> Settings:
    """Read and validate all settings.

    Args:
        overrides: top-level fields that win over environment and file; sections as dicts

    Returns:
        the frozen settings

    Raises:
        ConfigError: unknown environment, unreadable file, unknown key or value out of range
    """
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ConfigError:
        raise
    except ValidationError as error:
        raise _readable(error) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{_config_file()}: not valid YAML ({error}).",
            suggestion="Mend the file; every key is listed in config/dev.yaml.",
        ) from error
    except ValueError as error:  # pydantic-settings wraps an unparsable variable in its own error
        raise ConfigError(
            f"Environment: {error}.", suggestion="Check the WERKBENCH_ variables."
        ) from error


def _config_file() -> Path:
    name = os.environ.get(f"{_PREFIX}ENV", "dev")
    path = bundled_path("config", f"{name}.yaml")
    environments = {file.stem for file in bundled_path("config").glob("*.yaml")} - {"alerts"}
    if name not in environments:
        known = ", ".join(sorted(environments))
        raise ConfigError(
            f"WERKBENCH_ENV={name!r}: there is no such environment.",
            suggestion=f"Use one of: {known}.",
        )
    return path


@lru_cache(maxsize=1)
def _known_variables() -> frozenset[str]:
    names = set()
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            names |= {f"{_PREFIX}{name}__{key}".upper() for key in section.model_fields}
        names.add(f"{_PREFIX}{name}".upper())
    return frozenset(names)


def _refuse_unknown_variables() -> None:
    """A misspelt variable would otherwise be ignored in silence."""
    unknown = sorted(
        name
        for name in os.environ
        if name.upper().startswith(_PREFIX) and name.upper() not in _known_variables()
    )
    if unknown:
        raise ConfigError(
            f"{unknown[0]}: there is no such setting.",
            suggestion="Use WERKBENCH_<SECTION>__<KEY>; every key is listed in config/dev.yaml.",
        )


def _readable(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    value = first.get("input")
    if first["type"] == "extra_forbidden":
        return ConfigError(
            f"{key}: there is no such setting.",
            suggestion="Remove it; every key is listed in config/dev.yaml.",
        )
    message = first["msg"].removeprefix("Value error, ")
    allowed = message[0].lower() + message[1:]
    variable = f"{_PREFIX}{key.replace('.', '__')}".upper()
    return ConfigError(
        f"{key} = {value!r}: {allowed}.",
        suggestion=f"Set {key} in {_config_file().name} or {variable} to an allowed value.",
    )
