"""Building the estimators that ship with the product from a recognised corpus."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from qe_core.asr.base import Progress
from qe_core.corpus.examples import Recognised, read_recognised
from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.examples_cache import load_examples
from qe_core.estimation.manifest import ANY_ENGINE, Kind
from qe_core.estimation.model_card import render_card
from qe_core.estimation.report import Line, by_slice, compare, leave_one_source_out, slices_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, extractors_for, train_on_table
from qe_core.features import DEPTHS, Depth
from qe_core.features.base import schema_of
from qe_core.types import Transcript

__all__ = [
    "EXAMPLES_FILE",
    "MIN_CLIPS",
    "Built",
    "Corpus",
    "Sources",
    "build",
    "examples_of",
    "folder_name",
    "keep",
    "read_corpus",
    "second_for",
    "train_kind",
]

EXAMPLES_FILE = "examples.npz"
"""The training table beside a recogniser's built-in estimator of depth standard.

Retraining mixes it in. It has the features of all depths that estimators were built at, and serves
them all; see :func:`examples_of`.
"""

MIN_CLIPS = 1000
"""An estimator from fewer clips does not ship."""

# A clip by a relative says less about a recogniser than one of its own.
_RELATIVE_WEIGHT = 0.3

_AUDIO_FOLDER = "quality-audio-only"

# Sound alone ranks much worse (DESIGN §5.1); below this it is hardly better than chance.
_MIN_SPEARMAN: Mapping[Kind, float] = {"transcript": 0.4, "audio": 0.1}


@dataclass(frozen=True, slots=True)
class Corpus:
    """A recognised corpus as a training table.

    Args:
        table: all clips with all features; those of held-out speakers are marked
        engine: wrote all of the transcripts
        model: of the engine
        engine_versions: number of clips by version of the engine
    """

    table: TrainingTable
    engine: str
    model: str
    engine_versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sources:
    """Files that a built-in estimator is made of, JSON Lines of recognised clips each.

    Args:
        recognised: by the recogniser that it will judge; features are cached beside it
        second: by the one that gave second opinions on these clips
        relatives: by relatives of the recogniser, e.g. a hasty setting of it or a former stage of
            its training; the estimator of transcripts learns from them, too
    """

    recognised: Path
    second: Path | None = None
    relatives: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A built-in estimator and how it did on speakers that it does not know.

    Args:
        folder: where it lies
        estimator: the estimator
        held_out: the estimator and the baselines on all held-out clips
        slices: the estimator per source and per kind of degradation
        others: trained without a source, or an engine, and judged on it
    """

    folder: Path
    estimator: Estimator
    held_out: tuple[Line, ...]
    slices: tuple[Line, ...]
    others: tuple[Line, ...]


def examples_of(folder: Path) -> Path:
    """Where the training table of a built-in estimator lies.

    Args:
        folder: of the estimator, of any depth
    """
    name = folder.name
    for depth in DEPTHS:
        name = name.removesuffix(f"-{depth}")
    return folder.with_name(name) / EXAMPLES_FILE


def folder_name(engine: str, model: str, depth: Depth = "standard") -> str:
    """Name of the folder of a built-in estimator of transcripts.

    Examples:
        >>> folder_name("whisper", "base", "thorough")
        'quality-whisper-base-thorough'
    """
    suffix = "" if depth == "standard" else f"-{depth}"
    return f"quality-{engine}-{model}{suffix}"


def build(
    sources: Sources,
    out_dir: Path,
    *,
    seed: int,
    depth: Depth = "standard",
    plan: TrainingPlan | None = None,
    on_progress: Progress | None = None,
) -> tuple[Built, ...]:
    """Train, judge and save the estimator of the corpus's engine and the audio-only one.

    The latter looks at the same features at every depth and is built with the standard one only.

    Args:
        sources: what they are made of
        out_dir: gets one folder per estimator
        seed: of all random draws
        depth: which features the estimator of transcripts looks at
        plan: how to train; the conditions for shipping by default
        on_progress: told how far the work is

    Returns:
        the estimators with their figures

    Raises:
        TrainingError: fewer than ``MIN_CLIPS`` training clips, several engines, or an estimator
            that ranks too badly to ship
    """
    deepest: Depth = depth if sources.second is None else "thorough"
    corpus = read_corpus(
        sources.recognised, second=sources.second, depth=deepest, on_progress=on_progress
    )
    family = _with_relatives(corpus, sources, deepest, on_progress)
    work = _Work(family, seed, plan, depth, on_progress)
    owner = (corpus.engine, corpus.model)
    ours = _build_one(work, "transcript", owner, out_dir / folder_name(*owner, depth))
    examples = examples_of(ours.folder)
    examples.parent.mkdir(exist_ok=True)
    family.table.save(examples)
    if depth != "standard":
        return (ours,)
    work = replace(work, corpus=corpus)
    audio = _build_one(work, "audio", (ANY_ENGINE, ANY_ENGINE), out_dir / _AUDIO_FOLDER)
    return ours, audio


def read_corpus(
    recognised: Path,
    *,
    second: Path | None = None,
    depth: Depth = "standard",
    on_progress: Progress | None = None,
) -> Corpus:
    """Compute the training table of a recognised corpus.

    Args:
        recognised: JSON Lines of :class:`qe_core.corpus.examples.Recognised`
        second: the same for the recogniser that gave second opinions on these clips
        depth: which features
        on_progress: told how far the work is

    Raises:
        TrainingError: nothing to read, transcripts by several engines, or second opinions that are
            none
    """
    rows = list(read_recognised(recognised)) if recognised.is_file() else []
    engine, model = _engine_of(rows, recognised)
    if depth == "thorough" and second is None:
        raise TrainingError(
            "An estimator of depth thorough needs second opinions to learn from.",
            suggestion="Make them with `werkbench recognise` and name the file with --second.",
        )
    examples = load_examples(
        rows,
        recognised.parent,
        seconds=_second_opinions(second, rows, (engine, model)),
        depth=depth,
        on_progress=on_progress,
    )
    table = TrainingTable.from_examples(
        examples,
        schema=schema_of(DEPTHS[depth]),
        is_held_out=[is_held_out(row.speaker) for row in rows],
    )
    return Corpus(table, engine, model, Counter(row.transcript.version for row in rows))


def _with_relatives(
    corpus: Corpus, sources: Sources, depth: Depth, on_progress: Progress | None
) -> Corpus:
    table = corpus.table
    for path in sources.relatives:
        second = second_for(path, sources.second, sources.recognised)
        relative = read_corpus(path, second=second, depth=depth, on_progress=on_progress)
        table = table + relative.table.as_relatives(weight=_RELATIVE_WEIGHT)
    return replace(corpus, table=table)


def train_kind(
    table: TrainingTable,
    kind: Kind,
    owner: tuple[str, str],
    *,
    seed: int,
    plan: TrainingPlan | None = None,
    on_progress: Progress | None = None,
) -> Estimator:
    """Train an estimator of a kind on the features that this kind looks at.

    Args:
        table: with all features
        kind: ``"transcript"`` or ``"audio"``
        owner: engine and model
        seed: of all random draws
        plan: how to train and at which depth; as for built-in estimators by default
        on_progress: told how far the training is
    """
    plan = plan or _shipping_plan(kind)
    extractors = extractors_for(kind, plan.depth)
    names = [info.name for extractor in extractors for info in extractor.features]
    return train_on_table(
        table.with_features(names, schema_of(extractors)),
        kind=kind,
        engine=owner[0],
        seed=seed,
        plan=replace(plan, model=owner[1]),
        on_progress=on_progress,
    )


def _shipping_plan(kind: Kind) -> TrainingPlan:
    return TrainingPlan(min_clips=MIN_CLIPS, min_spearman=_MIN_SPEARMAN[kind])


@dataclass(frozen=True, slots=True)
class _Work:
    """What both estimators have in common."""

    corpus: Corpus
    seed: int
    plan: TrainingPlan | None
    depth: Depth
    on_progress: Progress | None


def _build_one(work: _Work, kind: Kind, owner: tuple[str, str], folder: Path) -> Built:
    table, seed, on_progress = work.corpus.table, work.seed, work.on_progress
    plan = replace(work.plan or _shipping_plan(kind), depth=work.depth)
    estimator = train_kind(table, kind, owner, seed=seed, plan=plan, on_progress=on_progress)
    held_out = table.select(table.is_held_out)
    lines = compare(estimator, held_out)
    slices = by_slice(estimator, held_out, slices_of(held_out))
    # On an unknown source a bad ranking is a finding, not a fault.
    loose = replace(plan, min_clips=1, min_spearman=-1.0)
    others = leave_one_source_out(
        table,
        partial(train_kind, kind=kind, owner=owner, seed=seed, plan=loose),
        on_progress=on_progress,
    )
    return keep(
        Built(folder, estimator, lines, slices, others),
        engine_versions=work.corpus.engine_versions,
        others="other_sources",
    )


def keep(built: Built, *, engine_versions: Mapping[str, int], others: str) -> Built:
    """Save a built-in estimator with its figures and its card.

    Args:
        built: what was trained and how it did
        engine_versions: number of clips by version of the engine
        others: name of the figures on what it was trained without

    Returns:
        the same with the manifest that was saved
    """
    former, folder = built.estimator.manifest, built.folder
    figures = {"held_out": built.held_out, "slices": built.slices, others: built.others}
    manifest = replace(
        former,
        id=f"{folder.name}-{former.data_fingerprint[:8]}",
        lineage={**former.lineage, "engine_versions": dict(engine_versions)},
        metrics={
            **former.metrics,
            **{
                name: {line.name: line.metrics.to_dict() for line in lines}
                for name, lines in figures.items()
            },
        },
    )
    kept = replace(built, estimator=replace(built.estimator, manifest=manifest))
    kept.estimator.save(folder)
    card = render_card(manifest, held_out=built.held_out, slices=built.slices, others=built.others)
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return kept


def second_for(recognised: Path, second: Path | None, other: Path) -> Path | None:
    """Where second opinions are: who gave them gets those of another recogniser."""
    is_its_own = second is not None and recognised.resolve() == second.resolve()
    return other if is_its_own else second


def _second_opinions(
    path: Path | None, rows: Sequence[Recognised], owner: tuple[str, str]
) -> dict[str, Transcript]:
    if path is None:
        return {}
    wanted = {row.audio_filepath for row in rows}
    theirs = list(read_recognised(path)) if path.is_file() else []
    found = {row.audio_filepath: row.transcript for row in theirs if row.audio_filepath in wanted}
    if not found or _engine_of(theirs, path) == owner:
        raise TrainingError(
            f"{path.name}: there is no second opinion on these clips in it.",
            suggestion="Make them with `werkbench recognise` and another recogniser.",
        )
    return found


def _engine_of(rows: Sequence[Recognised], path: Path) -> tuple[str, str]:
    engines = Counter((row.transcript.engine, row.transcript.model) for row in rows)
    if not engines:
        raise TrainingError(
            f"{path.name}: there is no recognised clip in it.",
            suggestion="Make one with `werkbench corpus`.",
        )
    if len(engines) > 1:
        names = ", ".join(":".join(owner) for owner in sorted(engines))
        raise TrainingError(
            f"{path.name}: transcripts by several engines ({names}).",
            suggestion="An estimate belongs to one engine: train on one file per engine.",
        )
    return next(iter(engines))
