"""Templates in the walk: where they lie, what they extend and include, and what their words do to rows."""
