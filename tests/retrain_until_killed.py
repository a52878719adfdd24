"""A process that retrains again and again until it is killed; run by a test.

Arguments: the data folder, and the folder that holds the small built-in model.
"""

import sys
from pathlib import Path
from unittest.mock import patch

from qe_core.config import load_settings
from qe_core.errors import WerkbenchError
from tests.small_models import FAST
from workbench import retrain
from workbench.runtime import Runtime

if __name__ == "__main__":
    data_dir, bundled = map(Path, sys.argv[1:])
    patch("workbench.runtime.bundled_path", bundled.joinpath).start()
    opened = Runtime(
        load_settings(
            data_dir=data_dir,
            engine={"name": "pocketsphinx"},
            retrain={
                "min_new_reviews": 1,
                "min_test_clips": 1,
                "min_spearman": 0.0,
                "min_word_auc": 0.0,
                "max_sure_changed": 1.0,
                "min_doubtful_changed": 0.0,
                "min_length_agreement": -1.0,
                "min_gain": -1.0,
                "max_recall_loss": 1.0,
                "max_mae_increase": 1.0,
                "max_coverage_gap": 1.0,
                "max_slice_loss": 1.0,
            },
        )
    )
    print("ready", flush=True)
    while True:
        try:
            retrain.run(opened, plan=FAST)
            retrain.rollback(opened)
        except WerkbenchError as error:
            print(error.message, flush=True)
