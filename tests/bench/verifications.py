"""What one verification costs the operator, in CPU time, through the Service and at the URL.

    python -m tests.bench.verifications

A fake Chainlit on loopback, in a process of its own, answers as the real one does. So the network takes no time and the
figures are the operator's own.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import uvloop

from chainlit_operator.verification.prober import DEFAULT_LIMITS, Prober, Target
from tests.unit.certificates import HOST, both_sides
from tests.unit.verification.prober.fakes import FakeChainlit, allow_any, serving

#: The share of one processor that verifications may take.
SHARE = 0.25


async def _serve(directory: Path) -> None:
    """Serve the app by http and by https until the parent closes the pipe; print the two ports."""
    server_tls, _ = both_sides(directory)
    app = FakeChainlit("/chat")
    async with serving(app):
        plain = app.port
        async with serving(app, server_tls):
            print(plain, app.port, flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _cost(prober: Prober, target: Target, number: int) -> float:
    """Return the CPU seconds of one probe, from a number of them one after another."""
    for _ in range(number // 10 + 1):
        outcome = await prober.probe(target)
        if not outcome.reachable:
            raise SystemExit(f"the probe of {target.base_url} failed: {outcome.message}")
    began = time.process_time()
    for _ in range(number):
        await prober.probe(target)
    return (time.process_time() - began) / number


async def _measure(directory: Path, plain: int, secure: int, number: int) -> dict[str, float]:
    tls = ssl.create_default_context(cafile=str(directory / "cert.pem"))
    tls.set_alpn_protocols(["http/1.1"])
    prober = Prober(DEFAULT_LIMITS, allow=allow_any, tls=tls)
    service = Target(f"http://127.0.0.1:{plain}", "/chat")
    edge = Target(f"http://127.0.0.1:{plain}", "/chat", host_header="chat.example", at_edge=True)
    by_https = replace(edge, base_url=f"https://127.0.0.1:{secure}", host_header=HOST)
    targets = {"through the Service": service, "at the URL, http": edge, "at the URL, https": by_https}
    return {name: await _cost(prober, target, number) for name, target in targets.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.verifications", description=__doc__)
    parser.add_argument("--number", type=int, default=300, help="probes for each row (default: %(default)s)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.serve is not None:
        uvloop.run(_serve(chosen.serve))
        return
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "tests.bench.verifications", "--serve", place]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None and server.stdin is not None
            plain, secure = map(int, server.stdout.readline().split())
            found = uvloop.run(_measure(Path(place), plain, secure, chosen.number))
            server.stdin.close()
    print("| probe | CPU time | a second at a quarter of one processor |\n|---|--:|--:|")
    service, *edges = found.values()
    rows = found | dict(zip(("Auto, http", "Auto, https"), (service + edge for edge in edges), strict=True))
    for name, seconds in rows.items():
        print(f"| {name} | {seconds * 1000:.1f} ms | {SHARE / seconds:.0f} |")


if __name__ == "__main__":
    main()
