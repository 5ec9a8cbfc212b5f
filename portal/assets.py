"""How static files are stored: named by their contents, compressed, and modules importing each other by those names."""

from __future__ import annotations

from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedModules(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # servestatic is untyped
    """Without this an imported module would keep its plain name, and a browser could mix modules of two versions."""

    support_js_module_import_aggregation = True
    # As deep as modules import each other, and some more; a circle among them is told by exceeding it.
    max_post_process_passes = 20
