"""What the ship delivered: distributions, files, profiles, data sets, navigation, holds, review."""
