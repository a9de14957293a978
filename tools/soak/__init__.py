"""One client under load and faults for minutes: nothing is lost, mixed up, leaked or growing.

    python -m tools.soak --seconds 600           # `make soak`; `SOAK=60` for a minute

The embedded server, in a process of its own, spoils 5 % of its answers. 8 threads and 64 tasks of
one client ask it for pictures whose colours they know. At the end

- every picture that was sent was answered, with its own colour, or failed with a documented error;
- memory, threads, tasks and descriptors are where they were after the first tenth.
"""
