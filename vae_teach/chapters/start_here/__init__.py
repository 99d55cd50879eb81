"""What chapter `start_here` alone uses."""
