"""Work on many machines, by Ray: connections, workers that each hold models, and a crew that feeds them."""
