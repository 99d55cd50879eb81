"""nbval runs the notebooks on the embedded set, with one thread each; the kernels it starts inherit this."""

import os

os.environ.setdefault("VAE_TEACH_DATASET", "strokes")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # see tests/conftest.py
