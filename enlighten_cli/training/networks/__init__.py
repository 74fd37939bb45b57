"""The trained networks, and VGG-16 for the self-feature-preserving loss."""
