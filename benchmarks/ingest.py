"""Ingest with summaries: lines a second on one core, and peak memory, for files of several sizes.

Writes seeded EVE files of alert lines of about 1 kB into a temporary folder, then reads each with `summarise` in a
child process pinned to one core. The alerts come from a few loud attackers, a crowd of ordinary keys, and a flood from
spoofed addresses that overflows the table of open windows; one in a hundred is late, one in five hundred another event.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
LINE_BYTES = 1000
ALERTS_PER_S = 10_000  # of event time
CHUNK_LINES = 2000
KEYS = 130_000
LOUD_KEYS = 200
LOUD_SHARE = 0.4
LATE_SHARE = 0.01
OTHER_SHARE = 0.002
RULES = (
    (2001219, "ET SCAN Potential SSH Scan", "Attempted Information Leak", 2, "ssh", 22, "T1110"),
    (2024364, "ET SCAN Possible Nmap User-Agent Observed", "Web Application Attack", 1, "http", 80, "T1595"),
    (2100498, "GPL ATTACK_RESPONSE id check returned root", "Potentially Bad Traffic", 2, "http", 80, ""),
    (2210051, "SURICATA STREAM Packet with broken ack", "Generic Protocol Command Decode", 3, "", 443, ""),
)
EPOCH = datetime(2024, 5, 1, tzinfo=UTC)


def bytes_of(text: str) -> int:
    """``10MB`` to 10000000."""
    unit = text[-2:].upper()
    if unit not in UNITS or not text[:-2].isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: a size is a whole number and KB, MB or GB")
    return int(text[:-2]) * UNITS[unit]


def key_of(number: int) -> tuple[str, str]:
    """Source and destination of a key: every number another source."""
    return f"{11 + number // 65536}.{number // 256 % 256}.{number % 256}.7", f"10.20.0.{number % 40 + 1}"


def line_of(rng: random.Random, number: int) -> str:
    """One EVE line of about 1 kB."""
    key = rng.randrange(LOUD_KEYS) if rng.random() < LOUD_SHARE else rng.randrange(KEYS)
    late_s = rng.uniform(35, 300) if rng.random() < LATE_SHARE else 0.0
    when = (EPOCH + timedelta(seconds=number / ALERTS_PER_S - late_s)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    sid, text, category, severity, app, port, technique = RULES[key % len(RULES)]
    source, destination = key_of(key)
    kind = "flow" if rng.random() < OTHER_SHARE else "alert"
    source_port, flow_id, packets = rng.randrange(1024, 65536), rng.randrange(2**51), rng.randrange(3, 90)
    line = (
        f'{{"timestamp":"{when}","flow_id":{flow_id},"in_iface":"span1","event_type":"{kind}","src_ip":"{source}",'
        f'"src_port":{source_port},"dest_ip":"{destination}","dest_port":{port},"proto":"TCP","pkt_src":"wire/pcap",'
        f'"tx_id":0,"alert":{{"action":"allowed","gid":1,"signature_id":{sid},"rev":3,"signature":"{text}",'
        f'"category":"{category}","severity":{severity},"metadata":{{"created_at":["2021_05_01"],'
        f'"mitre_technique_id":["{technique}"],"updated_at":["2024_03_01"]}}}},"app_proto":"{app or "failed"}",'
        f'"direction":"to_server","flow":{{"pkts_toserver":{packets},"pkts_toclient":{packets},'
        f'"bytes_toserver":{packets * 80},"bytes_toclient":{packets * 300},"start":"{when}","src_ip":"{source}",'
        f'"dest_ip":"{destination}","src_port":{source_port},"dest_port":{port}}},"http":{{"hostname":"shop.example",'
        f'"url":"/'
    )
    return line + "x" * (LINE_BYTES - len(line) - 5) + '"}}\n'


def lines(seed: int, size_bytes: int) -> Iterator[str]:
    """Lines until the size is reached."""
    rng = random.Random(seed)
    return (line_of(rng, number) for number in range(max(1, size_bytes // LINE_BYTES)))


def write(path: Path, seed: int, size_bytes: int) -> None:
    """The file, in constant memory."""
    with path.open("w", encoding="ascii") as out:
        chunk: list[str] = []
        for line in lines(seed, size_bytes):
            chunk.append(line)
            if len(chunk) == CHUNK_LINES:
                out.writelines(chunk)
                chunk.clear()
        out.writelines(chunk)


def peak_rss_bytes() -> int:
    """This process's peak resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(path: str) -> dict[str, float]:
    """Summarise one file on one core; run in a process of its own."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from secloop_ai.alerts import summarise

    before_bytes = peak_rss_bytes()
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    _, report = summarise(path)
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
    if report.lines != report.alerts + sum(report.skipped.values()) + report.bad:
        raise SystemExit("the counts do not add up")
    return {
        "size_bytes": Path(path).stat().st_size,
        "lines": report.lines,
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "lines_per_s": round(report.lines / wall_s),
        "lines_per_cpu_s": round(report.lines / cpu_s),
        "import_rss_bytes": before_bytes,
        "peak_rss_bytes": peak_rss_bytes(),
        "summaries": report.summaries,
        "evicted": report.evicted,
        "dropped": report.dropped,
        "late": report.late,
        "skipped": sum(report.skipped.values()),
        "bad": report.bad,
    }


def measured(path: Path, repeats: int) -> dict[str, float]:
    """Median of several children; the peak is the highest."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child", str(path)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeats)]
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return {**middle, "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs)}


def distinct_keys(seed: int, size_bytes: int) -> int:
    """How many (signature, source, destination, port) the file has: every key has a source of its own."""
    seen: set[str] = set()
    for line in lines(seed, size_bytes):
        place = line.index('"src_ip":"') + 10
        seen.add(line[place : line.index('"', place)])
    return len(seen)


COLUMNS = {
    "size_bytes": ("size MB", 1e6),
    "lines": ("lines", 1),
    "distinct_keys": ("keys", 1),
    "lines_per_s": ("lines/s", 1),
    "lines_per_cpu_s": ("per CPU s", 1),
    "peak_rss_bytes": ("peak MB", 1e6),
    "late": ("late", 1),
    "evicted": ("evicted", 1),
    "dropped": ("dropped", 1),
}


def table(rows: list[dict[str, float]]) -> None:
    """Print for people."""
    print("".join(f"{title:>11}" for title, _ in COLUMNS.values()))
    for row in rows:
        print("".join(f"{row[name] / unit:>11,.0f}" for name, (_, unit) in COLUMNS.items()))
    print(f"peak after importing alone: {rows[0]['import_rss_bytes'] / 1e6:.0f} MB")


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=bytes_of, action="append", help="file size, may be given again (10MB 100MB 1GB)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3, help="runs per file; medians are shown")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(args.child)))
        return
    rows = []
    with tempfile.TemporaryDirectory(prefix="secloop-ingest-") as folder:
        for size_bytes in args.size or [bytes_of("10MB"), bytes_of("100MB"), bytes_of("1GB")]:
            path = Path(folder) / "eve.json"
            write(path, args.seed, size_bytes)
            rows.append({**measured(path, args.repeats), "distinct_keys": distinct_keys(args.seed, size_bytes)})
    print(json.dumps(rows, indent=2)) if args.json else table(rows)


if __name__ == "__main__":
    main()
