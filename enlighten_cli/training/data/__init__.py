"""What training sees of photos."""
