"""Database engine for the embedded default: SpatiaLite that loads on every CPython and every SQLite."""
