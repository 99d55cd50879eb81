"""What chapter `reparameterization` alone uses."""
