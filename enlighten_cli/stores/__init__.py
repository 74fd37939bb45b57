"""Photos in object stores: their addresses, and how they are listed, read and written, through fsspec."""
