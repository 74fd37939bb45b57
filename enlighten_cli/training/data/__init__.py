"""Training data: photos, crops and augmentation."""
