"""The refresh, from the request to its report. Pure: what it needs from outside comes through ports."""
