"""What Evidently and NannyML say about windows, by their defaults; run by their own Python.

    PEER_PYTHON benchmarks/drift_peers.py evidently|nannyml windows.npz

The file holds the arrays ``baseline-K`` and ``current-K``, one pair per trial. Prints one JSON line
per trial: how many columns drift, and how many there are. Imports nothing of Werkbench.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd


def main() -> None:
    """Judge every pair."""
    warnings.simplefilter("ignore")
    judge = {"evidently": _evidently, "nannyml": _nannyml}[sys.argv[1]]
    with np.load(sys.argv[2]) as stored:
        trials = sum(name.startswith("current-") for name in stored.files)
        for trial in range(trials):
            pair = [
                pd.DataFrame(values, columns=[f"f{k}" for k in range(values.shape[1])])
                for values in (stored[f"baseline-{trial}"], stored[f"current-{trial}"])
            ]
            print(json.dumps([judge(*pair), pair[0].shape[1]]), flush=True)


def _evidently(baseline: pd.DataFrame, current: pd.DataFrame) -> int:
    from evidently import Report
    from evidently.presets import DataDriftPreset

    found = Report([DataDriftPreset()]).run(current_data=current, reference_data=baseline).dict()
    for metric in found["metrics"]:
        value = metric["value"]
        if isinstance(value, dict) and "count" in value:
            return int(value["count"])
    raise SystemExit("Evidently's answer has another shape than expected.")


def _nannyml(baseline: pd.DataFrame, current: pd.DataFrame) -> int:
    import nannyml

    columns = list(baseline.columns)
    calculator = nannyml.UnivariateDriftCalculator(column_names=columns, chunk_size=len(current))
    found = calculator.fit(baseline).calculate(current).filter(period="analysis").to_df()
    return sum(bool(found[column, "jensen_shannon", "alert"].iloc[0]) for column in columns)


if __name__ == "__main__":
    main()
