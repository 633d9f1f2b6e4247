"""`frontdoor init`: reads the account, and writes a commented settings file."""
