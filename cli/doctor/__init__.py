"""Read-only checks of a deployed front door, from an operator's laptop: what is wrong, and how to mend it."""
