"""Which code made something: the version, and a digest of the source that it was made by."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_version"]

_DIGITS = 12


@cache
def code_version() -> str:
    """Version of Werkbench and a digest of everything in ``qe_core``, as ``0.1.0+0123456789ab``.

    The version alone would call two checkouts the same that train differently.
    """
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    try:
        name = version("werkbench")
    except PackageNotFoundError:  # run from a checkout that was never installed
        name = "checkout"
    return f"{name}+{digest.hexdigest()[:_DIGITS]}"
