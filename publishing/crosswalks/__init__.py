"""Crosswalks: XSLT from the canonical cruise record to catalogue formats and to the report."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

FOLDER = Path(__file__).parent


@cache
def stylesheet(name: str) -> etree.XSLT:
    """A crosswalk of this folder, compiled; it may read and write nothing outside."""
    nothing: dict[str, bool] = dict.fromkeys(
        ("read_file", "write_file", "create_dir", "read_network", "write_network"), False
    )
    control = etree.XSLTAccessControl(**nothing)
    return etree.XSLT(etree.parse(FOLDER / f"{name}.xsl"), access_control=control)


def transform(name: str, record: etree._Element, **parameters: str | dt.datetime) -> etree._Element:
    """The record through a crosswalk; parameters are texts, times are written in UTC.

    Raises lxml.etree.XSLTApplyError for a stylesheet that fails, which is a fault of ours.
    """
    texts: dict[str, Any] = {
        key: etree.XSLT.strparam(value if isinstance(value, str) else f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}")
        for key, value in parameters.items()
    }
    return stylesheet(name)(record, **texts).getroot()
