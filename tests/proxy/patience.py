"""How long what nginx keeps for seconds is kept at most."""

ERRORS_LAST_SECONDS = 2.1
"""After this, nginx has forgotten an error it kept for a second; it counts in whole ones."""

TAG_EXPIRED_SECONDS = 3.1
"""After this, ECR is asked for a tag again: the settings of these tests have tag_seconds = 2."""
