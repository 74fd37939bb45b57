"""What a step of training learns."""
