"""The networks that are trained, and VGG-16."""
