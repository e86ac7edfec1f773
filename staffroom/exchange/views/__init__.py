"""The resources of the xAPI door, and the pages of tools."""
