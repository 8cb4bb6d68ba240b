"""What software a process runs: results are the same bytes only where it is the same."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import gridmodel
import scheme
from scheme.assessment.parcel import canonical_json

LIBRARIES = (
    "networkx", "numba", "numpy", "pandapower", "pandas", "power-grid-model", "pyproj", "scipy", "shapely",
)  # fmt: skip
"""Those that compute; what reads files or answers requests changes no result."""


@lru_cache(maxsize=1)
def software() -> Mapping[str, str]:
    """Return versions of Python and libraries, and a digest of our own code, as it was when first asked."""
    own = hashlib.sha256()
    for package in (gridmodel, scheme):
        assert package.__file__ is not None
        folder = Path(package.__file__).parent
        for path in sorted(folder.rglob("*.py")):
            own.update(path.relative_to(folder.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return {
        "python": platform.python_version(),
        "gridscheme": version("gridscheme"),
        "code_sha256": own.hexdigest(),
        **{name: version(name) for name in LIBRARIES},
    }


def software_sha256() -> str:
    """Return the digest of :func:`software`."""
    return hashlib.sha256(canonical_json(software())).hexdigest()
