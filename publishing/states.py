"""The lives of identifiers and submissions, and who may do what with them. Pure."""

from __future__ import annotations

from portal.lifecycle import OFFICE, Table, step

IDENTIFIER = Table(
    "identifier",
    {
        "reserved": "ours, not yet known to the registrar",
        "registered": "the registrar resolves it to the landing page",
        "stale": "registered, and its metadata have changed since",
    },
    [
        step("identifier.register", ("reserved", "stale", "registered"), "registered"),
        step("identifier.outdate", ("registered", "stale"), "stale"),
    ],
)

SUBMISSION = Table(
    "submission",
    {
        "waiting": "to be packed",
        "staged": "packed, checked, and laid out for the archive to fetch",
        "accessioned": "the archive has it and told under which number",
    },
    [
        step("submission.stage", "waiting", "staged"),
        step("submission.accession", ("staged", "accessioned"), "accessioned", OFFICE),
        step("submission.repack", "staged", "waiting", OFFICE),
    ],
)

RIGHTS = {
    "record.see_private": OFFICE,
    "submission.see": OFFICE,
}
