"""The command line of Werkbench; ``werkbench --help`` lists its commands.

Every command imports what it needs when it runs, so that help comes at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jobs.console import exit_on_error, prepare_streams

__all__ = ["app", "main"]

app = typer.Typer(
    name="werkbench",
    help="A workbench for checking machine transcripts.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_JSON = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
_ENGINE = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="auto, pocketsphinx, whisper or whisper:<model name or folder>; "
        "engine.name of the settings by default.",
    ),
]
_ESTIMATOR = Annotated[
    Path | None,
    typer.Option("--estimator", help="Folder of a trained estimator; a built-in one by default."),
]


def main() -> None:
    """Run the command line."""
    prepare_streams()
    app()


@app.command("assess")
def assess(
    files: Annotated[list[Path], typer.Argument(help="Audio files.", show_default=False)],
    as_json: _JSON = False,
    engine: _ENGINE = None,
    estimator: _ESTIMATOR = None,
) -> None:
    """Transcribe audio files and predict how wrong every transcript is.

    Exit code 0 when all files were assessed, 1 when some were refused.
    """
    from jobs.assess import assess_files

    with exit_on_error():
        num_refused = assess_files(files, engine=engine, estimator=estimator, as_json=as_json)
    raise typer.Exit(1 if num_refused else 0)


@app.command("evaluate")
def evaluate(
    manifest: Annotated[Path, typer.Option(help="JSON Lines with audio_filepath and text.")],
    engine: _ENGINE = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many clips.")] = None,
    as_json: _JSON = False,
    estimator: _ESTIMATOR = None,
) -> None:
    """Transcribe clips with references and compare predicted with actual errors."""
    from jobs.evaluate import evaluate_manifest

    with exit_on_error():
        evaluate_manifest(
            manifest, engine=engine, limit=limit, estimator=estimator, as_json=as_json
        )


@app.command("corpus")
def corpus(  # noqa: PLR0913, PLR0917 - one per option
    manifest: Annotated[
        Path,
        typer.Option(help="JSON Lines: audio_filepath, text, speaker, source, language."),
    ],
    noises: Annotated[Path, typer.Option(help="JSON Lines: audio_filepath, label, kind.")],
    out: Annotated[Path, typer.Option(help="Folder for audio and recognised.jsonl.")],
    engine: _ENGINE = None,
    copies: Annotated[
        list[str] | None,
        typer.Option(help="Degraded copies per clip of a source, as source=3; 1 by default."),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", help="At most so many clips of a source, as source=500."),
    ] = None,
    long: Annotated[
        list[str] | None,
        typer.Option(help="Clips of 8 to 30 s, each several of one speaker, as source=100."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Recognisers at the same time.")] = 2,
    degradations: Annotated[
        int | None,
        typer.Option(
            min=1, max=2, help="Version to degrade by; 1 knows no codecs; the newest by default."
        ),
    ] = None,
) -> None:
    """Degrade and transcribe recorded speech; what `train` learns from."""
    from jobs.corpus import make_corpus, parse_counts
    from qe_core.corpus.plan import CorpusPlan

    with exit_on_error():
        plan = CorpusPlan(
            manifest=manifest,
            noise_manifest=noises,
            copies=parse_counts(copies or [], option="--copies"),
            limits=parse_counts(limits or [], option="--limit"),
            long=parse_counts(long or [], option="--long"),
            degradations=degradations,
        )
        make_corpus(plan, out, engine=engine, num_processes=processes)


@app.command("recognise")
def recognise(
    recognised: Annotated[Path, typer.Argument(help="recognised.jsonl of `werkbench corpus`.")],
    out: Annotated[Path, typer.Option(help="Folder for recognised.jsonl of this recogniser.")],
    engine: _ENGINE = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many clips.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Recognisers at the same time.")] = 2,
) -> None:
    """Let another recogniser write the audio of a corpus, e.g. as second opinion."""
    from jobs.corpus import recognise_corpus

    with exit_on_error():
        recognise_corpus(recognised, out, engine=engine, limit=limit, num_processes=processes)


@app.command("train")
def train(  # noqa: PLR0913, PLR0917 - one per option
    out: Annotated[Path, typer.Option(help="Folder that gets one folder per estimator.")],
    recognised: Annotated[
        Path | None, typer.Argument(help="recognised.jsonl of `werkbench corpus`.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same estimators.")] = None,
    second: Annotated[
        Path | None, typer.Option(help="recognised.jsonl of a second opinion on the same clips.")
    ] = None,
    relatives: Annotated[
        list[Path] | None,
        typer.Option(
            "--relative", help="recognised.jsonl of a relative of the recogniser, to learn from."
        ),
    ] = None,
    depth: Annotated[
        Literal["fast", "standard", "thorough"],
        typer.Option(help="Features to look at; thorough needs --second."),
    ] = "standard",
    dataset: Annotated[
        str | None,
        typer.Option(help="Instead of recognised.jsonl: a data set of the hub, or a folder."),
    ] = None,
    language: Annotated[str | None, typer.Option(help="Of the data set, such as nl.")] = None,
    split: Annotated[str, typer.Option(help="Part of the data set.")] = "train",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many clips of it.")] = None,
    noises: Annotated[
        Path | None, typer.Option(help="JSON Lines of noises and rooms to degrade it with.")
    ] = None,
) -> None:
    """Train and judge built-in estimators; at least 1,000 clips and a fair ranking are needed."""
    from jobs.dataset import DatasetPlan
    from jobs.train import recognise_dataset, train_builtin
    from qe_core.estimation.builtin import Sources

    with exit_on_error():
        if dataset is not None:
            plan = DatasetPlan(dataset, language, split, limit)
            recognised = recognise_dataset(plan, noises, out)
        elif recognised is None:
            raise typer.BadParameter("Give recognised.jsonl or --dataset.")
        train_builtin(
            Sources(recognised, second, tuple(relatives or ())), out, seed=seed, depth=depth
        )


@app.command("train-any")
def train_any(
    recognised: Annotated[
        list[Path], typer.Argument(help="recognised.jsonl of two recognisers or more.")
    ],
    out: Annotated[Path, typer.Option(help="Folder that gets the estimator's folder.")],
    seed: Annotated[int | None, typer.Option(help="Same seed, same estimator.")] = None,
    second: Annotated[
        Path | None, typer.Option(help="recognised.jsonl of a second opinion on the same clips.")
    ] = None,
    depth: Annotated[
        Literal["fast", "standard", "thorough"],
        typer.Option(help="Features to look at; thorough needs --second."),
    ] = "standard",
) -> None:
    """Train and judge the estimator for recognisers that have none of their own."""
    from jobs.train import train_for_any

    with exit_on_error():
        train_for_any(recognised, out, seed=seed, second=second, depth=depth)


@app.command("calibrate")
def calibrate(
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="JSON Lines: audio_filepath, text, speaker, source; the corrections so far by "
            "default."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many clips.")] = None,
    as_json: _JSON = False,
) -> None:
    """Fit the estimator that serves to this recogniser and this sound, with references.

    Exit code 0 when the adapted estimator serves, 1 when it was refused.
    """
    from jobs.calibrate import calibrate_estimator

    with exit_on_error():
        is_promoted = calibrate_estimator(manifest, limit=limit, as_json=as_json)
    raise typer.Exit(0 if is_promoted else 1)


@app.command("reproduce")
def reproduce(
    version: Annotated[str, typer.Argument(help="Id of a retrained quality model.")],
    as_json: _JSON = False,
) -> None:
    """Train a quality model again from its lineage and compare the files bit for bit.

    Exit code 0 when they are identical, 1 when they are not.
    """
    from jobs.reproduce import reproduce_version

    with exit_on_error():
        is_identical = reproduce_version(version, as_json=as_json)
    raise typer.Exit(0 if is_identical else 1)


@app.command("fine-tune")
def fine_tune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would learn from.")
    ] = False,
    as_json: _JSON = False,
) -> None:
    """Let the recogniser learn from corrections; it serves if it writes held-out clips better.

    Exit code 0 when the new recogniser was promoted, 1 when it was refused.
    """
    from jobs.finetune import fine_tune_recogniser

    with exit_on_error():
        is_promoted = fine_tune_recogniser(dry_run=dry_run, as_json=as_json)
    raise typer.Exit(0 if is_promoted else 1)


@app.command("train-recogniser")
def train_recogniser(
    out: Annotated[Path, typer.Option(help="Folder for speech, state, curve and models.")],
    manifest: Annotated[
        Path | None, typer.Option(help="Recorded speech to mix in; JSON Lines with text, speaker.")
    ] = None,
    noises: Annotated[
        Path | None, typer.Option(help="Noises and rooms; JSON Lines: audio_filepath, label, kind.")
    ] = None,
    num_sentences: Annotated[
        int, typer.Option("--sentences", min=10, help="Synthetic sentences to make.")
    ] = 18_000,
    minutes: Annotated[float, typer.Option(min=0.1, help="Training time.")] = 75.0,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Train so many steps, whatever time they take.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Synthesisers at the same time.")] = 2,
) -> None:
    """Train a small Whisper from scratch; started again, it goes on where it stopped."""
    from jobs.train_recogniser import Budget, measure_recogniser
    from jobs.train_recogniser import train_recogniser as run
    from qe_core.recogniser.speech import SpeechPlan

    with exit_on_error():
        plan = SpeechPlan(num_sentences, manifest=manifest, noise_manifest=noises)
        measure_recogniser(run(plan, out, Budget(minutes, steps, processes)), plan)


@app.command("speak")
def speak(
    out: Annotated[Path, typer.Option(help="Folder for synthetic/ and synthetic.jsonl.")],
    num_sentences: Annotated[int, typer.Option("--sentences", min=1, help="How many.")] = 600,
    seed: Annotated[int, typer.Option(help="Same seed, same speech.")] = 20260101,
) -> None:
    """Make synthetic speech with references, for `werkbench corpus` and for measuring."""
    from jobs.speak import speak_sentences

    with exit_on_error():
        speak_sentences(num_sentences, out, seed=seed)


@app.command("serve")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Start the app: pages, HTTP API and worker."""
    from jobs.serve import serve_app

    with exit_on_error():
        serve_app(host=host, port=port, opens_browser=not no_browser)


@app.command("doctor")
def doctor(as_json: _JSON = False) -> None:
    """Say what works on this machine, what doesn't, and what to do.

    Exit code 0 when the app can be started, 1 when something essential is missing.
    """
    from jobs.doctor import examine

    with exit_on_error():
        is_healthy = examine(as_json=as_json)
    raise typer.Exit(0 if is_healthy else 1)


if __name__ == "__main__":
    main()
