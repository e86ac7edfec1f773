"""Two doors: bytes come in by the tus protocol, media goes out by signed links."""
