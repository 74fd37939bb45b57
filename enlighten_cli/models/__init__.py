"""Models: their registry, downloads, storage, and how one is run."""
