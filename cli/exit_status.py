"""The exit statuses that every subcommand shares; 0 is success."""

WRONG = 1
"""The command did its work, and something is wrong."""
UNUSABLE = 2
"""The command line, the settings file or the AWS profile cannot be used. Click uses it for a wrong command line."""
