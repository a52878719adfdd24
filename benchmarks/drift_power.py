"""How many windows pass until a change of real speech is noticed, beside Evidently and NannyML.

    python -m benchmarks.drift_power --recognised RECOGNISED --hasty RECOGNISED --noise noise.jsonl
        --folder FOLDER [--trials 20] [--sizes 50 200] [--evidently PYTHON] [--nannyml PYTHON]

Streams of real clips of US English, transcribed by PocketSphinx, five clips to a recording: twelve
windows before anything happens, then from one window on a part of the recordings is changed: the
noise floor rises by 6 dB; they come through a telephone; from a microphone farther away; from
speakers with a Mandarin accent; or the same recogniser hears them in a hurry, under the same name.
A tenth of the clips is audited. The recipe of the drift page looks after every window: the newest
three against everything before them, an alarm when the same column moves in two of them. So two
windows are the soonest. ``features`` are the twelve watched columns, ``outcomes`` the audit
residual, the predicted WER and the coverage of its interval.

With the Python of an environment in which a peer is installed, its defaults judge the newest of the
same windows: until any of the twelve columns drifts / until half of them do. One window is the
soonest. The lines in which nothing changes say how often alarms are raised for nothing.

``--recognised`` is what ``werkbench corpus`` wrote, ``--hasty`` what ``werkbench recognise --engine
pocketsphinx:en-us-fast`` made of it, ``--noise`` a manifest with ``audio_filepath`` and ``label``.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.drift_injected import BEFORE, CHANGES, prepare
from benchmarks.drift_streams import MODEL, ask_peer, draw
from qe_core.config import DriftSettings
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.scoring import score_table
from qe_core.estimation.table import TrainingTable
from qe_core.monitoring.drift import ColumnDrift, TooFewClips, Window, compare, compare_family
from workbench.drift import COVERAGE, INPUTS, OUTCOME, RESIDUAL

SEED = 20260101
NUM_BEFORE, NUM_AFTER, NUM_CURRENT, MIN_MOVED = 12, 6, 3, 2
AUDITED = 0.1
SHARES = (1.0, 0.25)
_JITTER = 0.1

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stock:
    """Clips to deal from.

    Args:
        inputs: the watched features, shape ``(num_clips, len(INPUTS))``
        outcomes: residual, predicted WER, whether inside the interval, shape ``(num_clips, 3)``
        groups: speaker of each
    """

    inputs: Values
    outcomes: Values
    groups: npt.NDArray[np.str_]


@dataclass(frozen=True)
class Stretch:
    """The clips of a window; outcomes in the order residual, predicted WER, coverage."""

    inputs: Values
    outcomes: Values
    is_audited: npt.NDArray[np.bool_]
    recordings: npt.NDArray[np.str_]

    def of_inputs(self) -> Window:
        """What comes in."""
        columns = {name: self.inputs[:, index] for index, name in enumerate(INPUTS)}
        return Window(columns, self.recordings)

    def of_outcomes(self) -> tuple[Window, Window]:
        """What audits found, and the estimates of all clips."""
        rows = self.is_audited
        found = {RESIDUAL: self.outcomes[rows, 0], COVERAGE: self.outcomes[rows, 2]}
        return (
            Window(found, self.recordings[rows]),
            Window({OUTCOME: self.outcomes[:, 1]}, self.recordings),
        )


def main() -> None:
    """Prepare, simulate, print."""
    arguments = _arguments()
    tables = prepare(
        arguments.recognised,
        arguments.hasty,
        arguments.noise,
        arguments.folder,
        num_clips=arguments.clips,
    )
    estimator = Estimator.load(MODEL)
    stocks = {name: _stock(table, estimator) for name, table in tables.items()}
    for name, table in tables.items():
        wer = table.num_errors.sum() / table.num_reference_words.sum()
        print(f"{name}: {table.num_clips} clips, WER {wer:.0%}")
    peers = {
        name: python
        for name in ("evidently", "nannyml")
        if (python := getattr(arguments, name)) is not None
    }
    print(f"\n{arguments.trials} streams a line, {arguments.peer_trials} for the peers")
    print(f"windows until the alarm, median (share noticed within {NUM_AFTER})\n")
    print(
        "| change | of the stream | n | features | outcomes |",
        *(f" {name} |" for name in peers),
        sep="",
    )
    print("|" + "---|" * (5 + len(peers)))
    for name in (BEFORE, *CHANGES):
        for share in SHARES if name != BEFORE else SHARES[:1]:
            for size in arguments.sizes:
                cells = _line((stocks[BEFORE], stocks[name]), share, size, peers, arguments)
                what = CHANGES.get(name, "nothing changes")
                print(f"| {what} | {share:.0%} | {size} | " + " | ".join(cells) + " |", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--recognised", "--hasty", "--noise", "--folder"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--clips", type=int, default=120, help="that get noise")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--peer-trials", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="*", default=(50, 200))
    parser.add_argument("--evidently", help="Python with evidently installed")
    parser.add_argument("--nannyml", help="Python with nannyml installed")
    return parser.parse_args()


def _stock(table: TrainingTable, estimator: Estimator) -> Stock:
    scores = score_table(estimator, table)
    wer = table.num_errors / np.maximum(table.num_reference_words, 1)
    if scores.low is None or scores.high is None:
        raise SystemExit("The estimator has no intervals.")
    inside = (scores.low <= wer) & (wer <= scores.high)
    columns = [table.feature_names.index(name) for name in INPUTS]
    outcomes = np.stack([wer - scores.wer, scores.wer, inside], axis=1)
    return Stock(
        table.features[:, columns].astype(np.float64), outcomes.astype(np.float64), table.group
    )


def _line(
    pair: tuple[Stock, Stock],
    share: float,
    size: int,
    peers: Mapping[str, str],
    arguments: argparse.Namespace,
) -> list[str]:
    streams = []
    for trial in range(arguments.trials):
        rng = np.random.default_rng((SEED, trial))
        streams.append(
            [
                _deal(pair, share if number >= NUM_BEFORE else 0.0, size, rng)
                for number in range(NUM_BEFORE + NUM_AFTER)
            ]
        )
    cells = [
        _shown([_first_alarm(stream, judge) for stream in streams])
        for judge in (_moved_inputs, _moved_outcomes)
    ]
    return cells + [
        _ask(name, python, streams[: arguments.peer_trials]) for name, python in peers.items()
    ]


def _deal(pair: tuple[Stock, Stock], share: float, size: int, rng: np.random.Generator) -> Stretch:
    """A part of the recordings from the changed clips, the others as they were."""
    num_changed = round(size * share)
    parts = [(pair[0], size - num_changed), (pair[1], num_changed)]
    inputs, outcomes, recordings = [], [], []
    spread = np.subtract(*np.nanquantile(pair[0].inputs, [0.75, 0.25], axis=0))
    for index, (stock, num_clips) in enumerate(parts):
        if num_clips:
            rows, names = draw(stock.groups, num_clips, rng)
            noise = _JITTER * spread * rng.normal(size=(num_clips, len(INPUTS)))
            inputs.append(stock.inputs[rows] + noise)
            outcomes.append(stock.outcomes[rows])
            recordings.append(np.char.add(f"{index}-", names))
    is_audited = rng.random(size) < AUDITED
    return Stretch(
        np.concatenate(inputs), np.concatenate(outcomes), is_audited, np.concatenate(recordings)
    )


def _together(stretches: Sequence[Stretch], most: int | None = None) -> Stretch:
    """Several windows as one; at most so many clips stand for it, all audits stay."""
    joined = Stretch(
        np.concatenate([one.inputs for one in stretches]),
        np.concatenate([one.outcomes for one in stretches]),
        np.concatenate([one.is_audited for one in stretches]),
        np.concatenate(
            [np.char.add(f"{index}:", one.recordings) for index, one in enumerate(stretches)]
        ),
    )
    if most is None or len(joined.recordings) <= most:
        return joined
    names, owner = np.unique(joined.recordings, return_inverse=True)
    kept = np.random.default_rng(SEED).permutation(len(names)) < most * len(names) / len(owner)
    rows = kept[owner]
    return Stretch(
        joined.inputs[rows], joined.outcomes[rows], joined.is_audited[rows], joined.recordings[rows]
    )


Judge = Callable[[Stretch, Stretch, Stretch, DriftSettings], list[bool]]


def _moved_inputs(old: Stretch, _: Stretch, new: Stretch, settings: DriftSettings) -> list[bool]:
    rng = np.random.default_rng(SEED)
    found = compare(old.of_inputs(), new.of_inputs(), settings, rng)
    return [] if isinstance(found, TooFewClips) else _alerts(found)


def _moved_outcomes(
    old: Stretch, everything: Stretch, new: Stretch, settings: DriftSettings
) -> list[bool]:
    """Audits are few: all of the baseline window are looked at."""
    audits, estimates = new.of_outcomes()
    pairs = [(everything.of_outcomes()[0], audits), (old.of_outcomes()[1], estimates)]
    return _alerts(compare_family(pairs, settings, np.random.default_rng(SEED)))


def _alerts(found: Sequence[ColumnDrift]) -> list[bool]:
    return [column.is_alert for column in found]


def _first_alarm(stream: Sequence[Stretch], judge: Judge) -> int | None:
    """Windows since the change, the first counted as one; ``None`` for no alarm."""
    settings = DriftSettings()
    for end in range(NUM_BEFORE + 1, len(stream) + 1):
        before, current = stream[: end - NUM_CURRENT], stream[end - NUM_CURRENT : end]
        old, everything = _together(before, settings.max_clips), _together(before)
        newest = judge(old, everything, current[-1], settings)
        if not any(newest):
            continue
        moved = [judge(old, everything, window, settings) for window in current[:-1]]
        if np.any((np.sum([*moved, newest], axis=0) >= MIN_MOVED) & newest):
            return end - NUM_BEFORE
    return None


def _ask(name: str, python: str, streams: Sequence[Sequence[Stretch]]) -> str:
    pairs = [
        (_together(stream[:end]).of_inputs(), stream[end].of_inputs())
        for stream in streams
        for end in range(NUM_BEFORE, len(stream))
    ]
    counts = ask_peer(name, python, pairs).reshape(len(streams), -1, 2)
    answers = []
    for drifts in (counts[:, :, 0] > 0, 2 * counts[:, :, 0] >= counts[:, :, 1]):
        found = [int(np.argmax(row)) + 1 if row.any() else None for row in drifts]
        answers.append(_shown(found))
    return " / ".join(answers)


def _shown(found: Sequence[int | None]) -> str:
    """Median over the streams in which there was an alarm, and their share."""
    noticed = [number for number in found if number is not None]
    if not noticed:
        return "– (0 %)"
    return f"{np.median(noticed):g} ({len(noticed) / len(found):.0%})"


if __name__ == "__main__":
    main()
