"""Work on many machines, by Ray: connections, workers that each hold models, and a pool that feeds them."""
