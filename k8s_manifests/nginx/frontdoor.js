// The njs module follows.
