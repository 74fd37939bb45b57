"""Make photos taken in too little light look as if there had been enough."""

__version__ = "0.1.0"
