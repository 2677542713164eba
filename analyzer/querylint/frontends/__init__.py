"""Source text to the shared language: one stack a module or folder."""
