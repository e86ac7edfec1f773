"""What is done at the doors: keys made and revoked, statements received, documents kept."""
