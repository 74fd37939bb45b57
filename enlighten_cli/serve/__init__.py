"""The web page and the HTTP API of `enlighten serve`."""
