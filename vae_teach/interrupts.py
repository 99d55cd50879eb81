"""An interrupt that Python loses is raised again."""

import signal
import threading
from contextlib import contextmanager


@contextmanager
def none_lost():
    """Remember interrupts (Ctrl-C, Jupyter's ■) that come in the meantime.

    Python drops an exception that is raised in a destructor or in a weak reference's callback, and with it an
    interrupt that happens to come there.

    Yields:
        A function without arguments that raises KeyboardInterrupt if one came. In threads that get no
        interrupts, and where nobody handles them, it does nothing.
    """
    handler, came = signal.getsignal(signal.SIGINT), []
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield lambda: None
        return

    def remember(number, frame):
        came.append(number)
        handler(number, frame)

    def raise_if_one_came():
        if came:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, remember)
    try:
        yield raise_if_one_came
    finally:
        signal.signal(signal.SIGINT, handler)
