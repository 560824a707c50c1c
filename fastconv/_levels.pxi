# Instruction-set levels. Included by _core.pyx.

cdef int level_index(level) except -1:
    names = [fc_level_name(i).decode() for i in range(fc_levels())]
    if level in names:
        return names.index(level)
    if isinstance(level, int) and 0 <= level < len(names):
        return level
    raise ValueError(f"no level {level!r} in this build, which has {', '.join(names)}")


def levels():
    """The instruction-set levels of this build, in order: name, and can this CPU run it."""
    return [
        {"name": fc_level_name(i).decode(), "available": bool(fc_level_available(i))}
        for i in range(fc_levels())
    ]


def level():
    """The name of the level in use."""
    return fc_level_name(fc_level()).decode()


def use_level(level):
    """Use a level, by name or index; a ValueError if this build or CPU lacks it."""
    cdef int index = level_index(level)
    if not fc_level_available(index):
        raise ValueError(f"this CPU cannot run level {fc_level_name(index).decode()!r}")
    fc_use_level(index)


def peak(level, dtype):
    """Multiply-adds a nanosecond (GMAC/s) of independent FMA chains: the ceiling."""
    cdef int index = level_index(level)
    cdef fc_dtype kind = engine_dtype(dtype)
    if not fc_level_available(index):
        raise ValueError(f"this CPU cannot run level {fc_level_name(index).decode()!r}")
    return fc_peak(index, kind)


def compiler():
    """What the engine was compiled with."""
    return fc_compiler().decode()
