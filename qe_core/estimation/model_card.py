"""The page that goes with an estimator: what it is good for, what went in, and where it fails."""

from collections.abc import Iterable, Mapping
from typing import Any

from qe_core.estimation.manifest import Manifest
from qe_core.estimation.report import Line, markdown
from qe_core.estimation.words import DOUBTS

__all__ = ["render_card"]

_LICENCES: Mapping[str, str] = {
    "synthetic": "made by flite and espeak-ng from a closed grammar",
    "speechocean762": "CC BY 4.0; English read by Mandarin speakers, half of them children",
    "an4": "CMU, BSD-style; US English names, addresses, dates, spelled letters, digits",
    "cv61_en": "CC0; Common Voice 6.1, English",
    "cv61_nl": "CC0; Common Voice 6.1, Dutch",
    "cv61_other": "CC0; Common Voice 6.1, many languages",
    "ljspeech_subset": "public domain; one US speaker reading books",
    "fsdd": "CC BY-SA 4.0; single English digits, 8 kHz",
    "dutch_vl": "CC0; Flemish",
}

_ANY_PURPOSE = """\
Predicts the word error rate of a transcript without a reference, for recognisers that have no
estimator of their own. Instead of a recogniser's scores it reads where they stand among the scores
of the same recogniser, so it needs some clips by the recogniser, but no reference. Its order is of
use at once; its level is not until some clips were reviewed."""

_OTHERS = {
    "source": """\
## Sources that it does not know

Trained without the source, judged on it. This is what to expect of speech unlike the training data:
""",
    "engine": """\
## Recognisers that it does not know

Trained without the recogniser, or without all of its kind, and judged on its held-out speakers.
This is what a cold start is worth:
""",
}

_PURPOSE = {
    "transcript": (
        "Predicts the word error rate of a transcript without a reference, the errors per segment "
        "and the probability that a word is wrong. It knows transcripts by {engine} ({model}) "
        "only and refuses those of any other engine."
    ),
    "audio": (
        "Predicts the word error rate from the sound alone, before anything is transcribed: a "
        "rough triage. The WER is that of PocketSphinx, whose transcripts it was trained on. Sound "
        "alone says little about the errors of a recogniser; use it to sort out the worst "
        "recordings and for engines that have no estimator yet, never as a measurement."
    ),
}


def render_card(
    manifest: Manifest,
    *,
    held_out: Iterable[Line],
    slices: Iterable[Line],
    others: Iterable[Line],
) -> str:
    """Write the model card.

    Args:
        manifest: of the estimator
        held_out: estimator and baselines on speakers that it does not know
        slices: the estimator per source and condition
        others: trained without a source, or an engine, and judged on it
    """
    lineage = manifest.lineage
    purpose = _PURPOSE[manifest.kind].format(engine=manifest.engine, model=manifest.model)
    is_for_any = manifest.profile is not None
    who = f"{'by' if is_for_any else 'of'} {lineage['num_groups']} "
    who += "recognisers" if is_for_any else "speakers"
    return f"""# {manifest.id}

{_ANY_PURPOSE if is_for_any else purpose}

XGBoost, two stages (any error? how many?) blended with a direct rate model; expected words from a
third model; intervals by normalised split-conformal prediction.{_of_words(manifest)}
{len(manifest.feature_names)} features, schema `{manifest.schema}`,
normaliser `{manifest.normaliser}`.

## What went in

{manifest.num_clips:,} clips ({lineage["hours"]:.1f} h) {who}{_relatives(lineage)},
clean and degraded (noise, rooms, telephone, overload, low level, lost packets, speed). No audio
and no text is in this folder.

{_sources(lineage["clips_by_source"])}

The transcripts of the sources were not checked by ear. Clips by version of the engine:
{_versions(lineage["engine_versions"])}.

## Speakers, noises and rooms that it does not know

{markdown(held_out)}

Spearman, Pearson, MAE and RMSE compare predicted and true WER per clip. ER@20 is the share of all
errors found when the 20 % of audio with the most expected errors per second are reviewed, beside
what an oracle would find; NER@20 puts random at 0 and the oracle at 1. Coverage is the share of
true WERs inside the {manifest.interval_level:.0%} interval. Baselines were given the WER scale that
fits them best on the training clips. Not all of these clips are alike; read the parts:

{markdown(slices)}

{_OTHERS["engine" if is_for_any else "source"]}
{markdown(others)}

## Limits

- Figures on other speech, microphones and rooms will be lower than on held-out speakers of the
  same sources; the table above shows by how much. The intervals keep their promise only on speech
  like the training data. Correct clips and retrain: that is what the review desk is for.
- A pooled figure hides the sources: speechocean762 (accented, half of it children) and speech in
  other languages are nearly always wrong in small recognisers, which is easy to tell and raises
  pooled figures.
- Clips with an empty reference have no WER and are left out of every figure but ER.
- It predicts errors against a reference in the normalised form above, not whether a text is
  useful.

Data fingerprint `{manifest.data_fingerprint[:16]}`, seed {manifest.seed}, Werkbench
{lineage["code_version"]}, XGBoost {lineage["xgboost"]}, {manifest.created_at}.
"""


def _relatives(lineage: Mapping[str, Any]) -> str:
    count = int(lineage.get("num_relatives", 0))
    return f", and {count:,} by relatives of the recogniser with less weight" if count else ""


def _sources(sizes: Mapping[str, Any]) -> str:
    rows = ["| source | clips | licence and kind |", "|---|---:|---|"]
    rows += [
        f"| {name} | {size:,} | {_LICENCES.get(name, 'see its own terms')} |"
        for name, size in sizes.items()
    ]
    return "\n".join(rows)


def _versions(sizes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} ({size:,})" for name, size in sorted(sizes.items()))


def _of_words(manifest: Manifest) -> str:
    """Whether single words were looked at first."""
    if not set(DOUBTS) <= manifest.usual_ranges.keys():
        return ""
    return " Single words are looked at first,\nand these models read what is said of them."
