"""What several explorers of a page share: it is sent once, and closed with the last of them."""

import weakref

from vae_teach.page.widgets import Widget


class Shared(Widget):
    """A widget without a view of its own, which explorers refer to.

    Attributes:
        users: the explorers that refer to it and are not closed.
    """

    def __init__(self, **traits):
        self.users = weakref.WeakSet()
        super().__init__(**traits)

    def release(self, user):
        """Take note that this explorer is gone; close when it was the last."""
        self.users.discard(user)
        if not self.users:
            self.empty()
            self.close()

    def empty(self):
        """Let go of all that weighs something: set it first, and then another trait.

        JupyterLab's page keeps a closed widget's traits, and their values one change before.
        """
        raise NotImplementedError
