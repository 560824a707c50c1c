# How many threads a call may use. Included by _core.pyx.

MOST_WORKERS = FC_MOST_WORKERS


def workers():
    """How many a call of this thread may use."""
    return fc_workers()


def default_workers():
    """How many a call of a thread may use that has set nothing for itself."""
    return fc_default_workers()


def set_default_workers(int number):
    """For every thread that has set nothing for itself."""
    fc_set_workers(number)


def set_thread_workers(int number):
    """For calls of this thread; 0: the default. Returns what it was."""
    return fc_set_thread_workers(number)


def limit_workers(int number):
    """No call uses more from now on; as many as are the default, or more, are no limit."""
    fc_limit_workers(number)
