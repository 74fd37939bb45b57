"""One photo, from dark to bright."""
