"""The long run: so many seeds, on so many processors; what fails is printed with its seed, which gives the same repository again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from fuzz.repositories import invented
from fuzz.trial import chunk
from laid import lay

CHUNK = 50
BATCH = 1000


def main() -> int:
    """Run from the command line; exit code 1 if any seed fails."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="seeds to try")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing new after so long (0: no end)")
    parser.add_argument("--write", metavar="DIR", type=Path, help="only write the repository of the first seed there")
    args = parser.parse_args()
    if args.write is not None:
        lay(args.write, invented(args.start))
        return 0
    began, done, failed = time.monotonic(), 0, 0
    kinds: Counter[str] = Counter()
    end = args.start + args.count
    for first in range(args.start, end, BATCH * args.jobs):
        last = min(end, first + BATCH * args.jobs)
        with ProcessPoolExecutor(args.jobs) as pool:  # a new pool each time: what a worker remembers goes with it
            running = {pool.submit(chunk, start, min(CHUNK, last - start)): start for start in range(first, last, CHUNK)}
            for ready in as_completed(running):
                try:
                    failures = ready.result()
                except BrokenProcessPool:
                    print(f"seeds {running[ready]} and on: the interpreter died", flush=True)
                    return 1
                failed += len(failures)
                for seed, wrong in failures:
                    kinds[wrong[:60]] += 1
                    if kinds[wrong[:60]] <= 3:
                        print(f"seed {seed}: {wrong}", flush=True)
        done += last - first
        if args.minutes and time.monotonic() - began > args.minutes * 60:
            break
    print(f"{done} repositories, {failed} failures, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
