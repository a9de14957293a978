"""Peak memory of this process; imports nothing, so that it can be read after an import alone."""


def peak_rss_mb() -> float:
    """Peak resident memory, in MiB. `ru_maxrss` includes what the parent had at exec."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return int(status.read().split("VmHWM:")[1].split()[0]) / 2**10
    except OSError:  # not Linux
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
