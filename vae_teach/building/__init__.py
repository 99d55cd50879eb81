"""Floor 7: notebooks made from their sources, and web pages made from notebooks."""
