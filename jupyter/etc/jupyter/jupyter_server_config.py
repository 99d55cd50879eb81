"""For the course's own environment: a core for the page, messages that reach it without a wait,
and kernels that say where they crashed.
"""

import os

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class Prompt(ZMQChannelsWebsocketConnection):
    """A kernel's line to a page on which a small message does not wait for the last one's receipt.

    By default it does (Nagle's algorithm), and a browser keeps a receipt back for up to 40 ms: a kernel
    says "busy" before its answer to a slider, so that each picture from the kernel came so much later.
    """

    def connect(self):
        """Called when a page opens the line."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


# Kernels inherit this. PyTorch's threads wait actively for each other: where the browser takes a core from
# one of them, training with all cores takes several times as long (`benchmarks/threads.py`).
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores - 1)))
# What is larger than 16 MB goes back to the system when it is free, instead of lying in pieces in the kernel:
# 70 MB less at the peak of chapter 01. With 1 MB in its place convolutions train in 1.6 times the time.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**24))
# A kernel that crashes says in the server's terminal where it was (TROUBLESHOOTING.md).
os.environ.setdefault("PYTHONFAULTHANDLER", "1")

if not os.environ.get(
    "JUPYTER_GATEWAY_URL"
):  # else the kernels are elsewhere, on lines of another kind
    c = get_config()  # noqa: F821
    c.ServerApp.kernel_websocket_connection_class = Prompt
