"""SEE: what happens in a classroom becomes visible to the teacher herself, and to whom she lets in."""
