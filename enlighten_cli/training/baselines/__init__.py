"""Objectives of other papers, with which EnlightenGAN is compared."""
