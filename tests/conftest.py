"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(kind: str) -> Path:
    """The folder of real data or of official schemas, as named in the environment or beside the checkout."""
    return Path(os.environ.get("LEADLINE_SHARED", ROOT.parent / "shared")) / kind


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real ships' data; the test is skipped, with the reason, where it is absent."""
    folder = shared("data")
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set LEADLINE_SHARED")
    return folder
