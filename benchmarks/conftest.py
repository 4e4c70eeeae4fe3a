"""What a benchmark notes beside its time, as a table after pytest-benchmark's own: ratios, which machines share."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    session = getattr(config, "_benchmarksession", None)
    rows = [
        (bench.name, key, value)
        for bench in (session.benchmarks if session else ())
        for key, value in bench.extra_info.items()
    ]
    if not rows:
        return
    terminalreporter.section("ratios")
    wide = max(len(name) for name, _, _ in rows)
    for name, key, value in rows:
        terminalreporter.write_line(f"{name:<{wide}}  {key} = {value}")
