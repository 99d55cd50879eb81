"""What chapter `vae` alone uses."""
