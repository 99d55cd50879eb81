"""What chapter `denoising_contractive` alone uses."""
