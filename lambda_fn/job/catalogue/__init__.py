"""The catalogue: what the repositories of the allow-list hold, as the page shows it. Pure over its ports."""
