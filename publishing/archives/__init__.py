"""Submissions to archives: `bag` writes BagIt bags (pure), `submission` packs, stages and records what comes back."""
