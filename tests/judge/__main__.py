"""The command line: python3 -m tests.judge [options], in a shell with the variables of ``make env``."""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.cluster import Cluster, Operator, Space
from tests.judge.court import INTERVAL, Court
from tests.judge.faults import PLANS, Plan
from tests.judge.verdict import Fault, Row, table, verdict
from tests.waiting import eventually

README = Path(__file__).parents[2] / "docs/explanation/verification.md"
MARK = "<!-- judge -->", "<!-- /judge -->"
#: A fault stays for so many seconds, chosen at random. Between two faults the app must be well again.
HELD = (20.0, 40.0)


def judge(court: Court, plans: Sequence[Plan], seconds: float, chance: random.Random) -> dict[str, Row]:
    """Plant faults in turn for so long, each kind once in a round, and return the verdict."""
    faults: list[Fault] = []
    with court.observed():
        while court.now() < seconds:
            for plan in chance.sample(plans, len(plans)):
                eventually(court.is_well, timeout=180.0)
                faults.append(Fault(court.now(), plan.name, plan.source))
                with plan.plant(court):
                    time.sleep(chance.uniform(*HELD))
                faults.append(Fault(court.now(), plan.name, plan.source))
                print(f"{faults[-2].begun:6.0f} to {faults[-1].begun:6.0f} s  {plan.name}", flush=True)
                if court.now() > seconds:
                    break
        eventually(court.is_well, timeout=180.0)
        end = court.now()
    rows = verdict(court.chats, court.ready, faults, INTERVAL, end, court.reasons)
    for row in rows.values():
        row.planted //= 2  # each fault is noted when it comes and when it goes
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the operator of the shell's cluster; returns 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.judge", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None, help="of the order of faults (default: at random)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/explanation/verification.md")
    chosen = parser.parse_args(arguments)
    seed = secrets.randbelow(1000) if chosen.seed is None else chosen.seed
    cluster = Cluster.from_environment()
    Operator(cluster).install()
    space = Space(cluster, f"judge-{secrets.token_hex(3)}")
    space.open()
    try:
        court = Court(cluster, space)
        court.open()
        rows = judge(court, PLANS, chosen.minutes * 60, random.Random(seed))
    finally:
        space.close()
    print(f"seed {seed}\n{table(rows)}")
    for name, row in rows.items():
        for text in row.over:
            print(f"{name}: {text}")
    if chosen.write:
        text = README.read_text(encoding="utf-8")
        before, _, rest = text.partition(MARK[0])
        _, _, after = rest.partition(MARK[1])
        README.write_text(f"{before}{MARK[0]}\n{table(rows)}\n{MARK[1]}{after}", encoding="utf-8")
    return 1 if any(row.over for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
