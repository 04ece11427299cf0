"""Read by Python at its start when this folder is on its path: the services then believe that there is no limit."""  # noqa: INP001 - a folder for the path

from servicekit import memory

memory.find_limit = lambda *_args, **_options: memory.MemoryLimit(0, None)
