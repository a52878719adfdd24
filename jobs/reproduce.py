"""Making a retrained quality model again from its lineage."""

from dataclasses import asdict

from jobs.console import ProgressLine, print_json, print_table, say
from qe_core.config import load_settings
from qe_core.errors import NotFoundError
from workbench import lineage
from workbench.lineage import Reproduction
from workbench.retrain import BUILT_IN, versions
from workbench.runtime import Runtime

__all__ = ["reproduce_version"]


def reproduce_version(version: str, *, as_json: bool) -> bool:
    """Train a version again from its lineage, compare the files, and print which are the same.

    Args:
        version: id of the version, or of its estimator
        as_json: print one JSON object instead of a table

    Returns:
        whether all files are the same, bit for bit

    Raises:
        NotFoundError: there is no such version, or it travels with Werkbench
        TrainingError: what it was made of is gone
    """
    runtime = Runtime(load_settings())
    try:
        found = [
            item.id
            for item in versions(runtime)
            if item.id != BUILT_IN and version in (item.id, item.estimator)
        ]
        if not found:
            raise NotFoundError(
                f"There is no retrained version {version!r}.",
                suggestion="Give an id from the list of quality models on the settings page; "
                "built-in ones are made by `werkbench train`.",
            )
        progress = ProgressLine("training again")
        made = lineage.reproduce(runtime, found[0], progress)
        progress.clear()
        _print(made, as_json=as_json)
        return made.is_identical
    finally:
        runtime.close()


def _print(made: Reproduction, *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(made), "is_identical": made.is_identical})
        return
    print_table(
        ("file", "same"),
        [(name, "yes" if same else "no") for name, same in made.files.items()],
    )
    if made.code_before != made.code_now:
        say(f"It was made by code {made.code_before}; this is {made.code_now}.")
    verdict = "the same, bit for bit" if made.is_identical else "not the same"
    say(f"{made.estimator}, made again: {verdict}.")
