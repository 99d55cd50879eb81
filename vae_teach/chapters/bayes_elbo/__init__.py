"""What chapter `bayes_elbo` alone uses."""
