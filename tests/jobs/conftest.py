"""Workers are tried as a host runs them."""

from tests.hosting.conftest import place

__all__ = ["place"]
