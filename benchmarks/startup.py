"""What the plugin costs a process that never imports openai."""

import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping

_API = "import opentelemetry.instrumentation.instrumentor, opentelemetry._logs, opentelemetry.metrics"
PROGRAMS: Mapping[str, str] = {
    "python": "",
    "OpenTelemetry API": _API,
    "and the plugin, switched on": (
        f"{_API}; import sys; from tallyspan.instrumentor import TallyspanInstrumentor;"
        "TallyspanInstrumentor().instrument(skip_dep_check=True); assert 'openai' not in sys.modules"
    ),
}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def startup(times: int, environment: Mapping[str, str]) -> dict[str, float]:
    """Give the CPU milliseconds of each program, medians of interleaved runs; the first run only compiles."""
    costs: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(times + 1):
        for name, program in PROGRAMS.items():
            before = _cpu_seconds()
            subprocess.run([sys.executable, "-c", program], env=environment, check=True)  # noqa: S603 - the table above
            costs[name].append((_cpu_seconds() - before) * 1000)
    return {name: statistics.median(runs[1:]) for name, runs in costs.items()}
