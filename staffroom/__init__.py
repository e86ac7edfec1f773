"""Staffroom: the open professional-learning system for teachers."""

__version__ = "0.1.0"
