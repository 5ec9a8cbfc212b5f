"""What the world sees: releases, identifiers, OAI-PMH, reports, submissions to archives, public pages."""
