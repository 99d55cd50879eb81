"""Floor 6: exercise checks that name the mistake, one module a chapter."""
