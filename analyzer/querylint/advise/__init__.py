"""Planning over the shared language: no text, no findings."""
