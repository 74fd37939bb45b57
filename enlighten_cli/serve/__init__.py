"""The page in the browser, and the API behind it: `enlighten serve`."""
