"""nbval runs the notebooks on the embedded set; the kernels it starts inherit this."""

import os

os.environ.setdefault("VAE_TEACH_DATASET", "strokes")
