"""Read-only checks of a deployed front door from an operator's machine: what is wrong, and how to fix it."""
