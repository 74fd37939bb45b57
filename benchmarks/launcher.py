"""Start a command, and print its seconds and its peak memory as JSON.

    python -I -S benchmarks/launcher.py COMMAND [ARGUMENT...]

A process counts what its parent held when it was forked; so a small one, this, starts what is measured.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    began = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, complained = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(complained.decode())
    values = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "said": said.decode(),
    }
    print(json.dumps(values))


if __name__ == "__main__":
    main()
