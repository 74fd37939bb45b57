"""Many photos: where they are, what their results are called, and how all of them are enhanced."""
