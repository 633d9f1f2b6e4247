"""`frontdoor pull`: a test pull through the front door, as a client makes it."""
