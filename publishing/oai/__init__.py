"""The OAI-PMH repository: `catalog` writes its records, `protocol` speaks it (pure), `views` answers."""
