"""What caulk runs inside other people's programs: the standard library only, and no import of caulk."""

__version__ = "0.1.0"


def start():
    """Makes this process a worker now: its memory is measured and told by every worker's `/metrics`."""
    from caulk_probe import process

    process.current()


def serve(port, *, host="127.0.0.1"):
    """Answers `/metrics` on a port of its own, for workers without HTTP; children that are forked are workers too.

    Gives the server: `server_port` is its port (0 takes a free one), `shutdown()` ends it. Raises OSError.
    """
    from caulk_probe import listener

    return listener.serve(port, host=host)


class measured:  # noqa: N801 - used as `with measured("name"):`, and as a decorator
    """One piece of work, measured as a request of the view `name`: a task of a queue, a batch."""

    def __init__(self, name):
        self.name, self.tokens = name, []

    def __enter__(self):
        from caulk_probe import process

        self.tokens.append((process.current(), process.current().begin()))
        return self

    def __exit__(self, *_):
        own, token = self.tokens.pop()
        own.end(token, self.name)

    def __call__(self, work):
        """Decorates a function."""
        from functools import wraps

        @wraps(work)
        def measuring(*arguments, **named):
            with measured(self.name):
                return work(*arguments, **named)

        return measuring
