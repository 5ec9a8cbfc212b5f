"""The logbook: the index to everything else that a cruise collects. Runs alone on a ship."""
