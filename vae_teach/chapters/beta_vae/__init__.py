"""What chapter `beta_vae` alone uses."""
