"""Models: those that have a name, where they are kept, and how one is run."""
