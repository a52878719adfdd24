"""Loading the recogniser that the settings ask for."""

import scipy.linalg  # noqa: F401  brings a BLAS of its own, as the features do
from threadpoolctl import threadpool_info, threadpool_limits

from qe_core.asr.provider import resolve_engine
from qe_core.config import load_settings


def test_numpy_keeps_to_one_thread_beside_a_recogniser() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        resolve_engine(load_settings(engine={"name": "pocketsphinx"}).engine)
        assert {
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
        } == {1}
