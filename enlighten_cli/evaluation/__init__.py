"""Scores and pictures of what methods make of photos."""
