"""Pictures of results, to look at."""
