"""What chapter `em` alone uses."""
