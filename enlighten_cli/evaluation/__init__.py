"""Evaluation of models and methods: scores, statistics, reports and blind comparisons."""
