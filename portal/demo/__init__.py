"""The demonstration: people, ships and cruises made by rule, the same at every start."""
