"""What chapter `autoencoder` alone uses."""
