"""Floor 6: what one chapter alone uses, a folder each."""
