"""Photos in object stores, through fsspec: addresses, listing, reading, writing, errors."""
