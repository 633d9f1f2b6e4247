"""Checks and installers that the Makefile calls."""
