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


cdef list cost_fields():
    return [(fc_cost_name(f).decode(), fc_cost_size(f)) for f in range(fc_cost_fields())]


def costs(level):
    """What the choice believes of a level: {field: numbers}."""
    cdef int index = level_index(level)
    fields = cost_fields()
    cdef np.ndarray values = numpy.empty(sum([size for _, size in fields]))
    fc_get_costs(index, <double *>np.PyArray_DATA(values))
    ends = numpy.cumsum([size for _, size in fields])
    return {
        name: values[end - size:end].tolist()
        for (name, size), end in zip(fields, ends, strict=True)
    }


def set_costs(level, costs):
    """
    Let choices on a level compare by other numbers; None: by the shipped ones again.

    A ValueError where a field lacks, is unknown or has not so many finite numbers >= 0; a rate
    is above 0.
    """
    cdef int index = level_index(level)
    cdef np.ndarray values
    if costs is None:
        check(fc_set_costs(index, NULL))
        return
    fields = dict(cost_fields())
    if set(costs) != set(fields):
        raise ValueError(f"costs have fields {sorted(costs)}, take {sorted(fields)}")
    rows = [numpy.asarray(costs[name], dtype=float) for name in fields]
    for (name, size), row in zip(fields.items(), rows, strict=True):
        is_rate = name.endswith("_rate")
        fits = numpy.isfinite(row) & ((row > 0) if is_rate else (row >= 0))
        if (<object>row).shape != (size,) or not fits.all():
            least = "> 0" if is_rate else ">= 0"
            raise ValueError(f"{name}: got {row.tolist()}, takes {size} finite numbers {least}")
    values = numpy.concatenate(rows)
    check(fc_set_costs(index, <const double *>np.PyArray_DATA(values)))


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
