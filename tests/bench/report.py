#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# The rows of tests/bench/run as tables in docs/bench.md, as docs/bench.json and, by gnuplot, as
# docs/bench.svg. Ratios are taken within one turn, then their median; the spread is their quartiles.
import collections
import json
import os
import re
import statistics
import subprocess
import sys

NAMES = {
    "tcp_tx": "TCP stream", "udp_tx": "UDP datagrams of 64 bytes", "tcp_rr": "TCP round trips",
    "udp_rr": "UDP round trips", "tcp_crr": "TCP connect, request, response",
}
WAYS = ("bare", "kernel", "vxbpf")


def quartiles(values):
    if len(values) == 1:
        return values * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def bare_text(work, per_op):
    if work == "tcp_tx":
        return f"{8 * 1024 / per_op:.1f} Gbit/s"
    if work == "udp_tx":
        return f"{1e6 / per_op:.0f} k/s"
    return f"{per_op / 1000:.1f} us"


class Report:
    def __init__(self, path):
        self.traffic = collections.defaultdict(dict)
        self.scale = collections.defaultdict(lambda: collections.defaultdict(list))
        self.flows = collections.defaultdict(lambda: collections.defaultdict(list))
        self.fast = collections.defaultdict(list)
        self.programs = {}
        self.control = collections.defaultdict(lambda: collections.defaultdict(list))
        for line in open(path):
            self.take(line.split())

    def take(self, row):
        if row[0] == "traffic":
            way, flows, family, turn, work, count, ns, middle, late = row[1:]
            key = (work, int(flows), int(family))
            self.traffic[key].setdefault(way, []).append(
                {"mean": int(ns) / int(count), "median": int(middle), "p99": int(late)})
        elif row[0] == "scale":
            way, peers, _, work, count, ns = row[1:7]
            self.scale[work, int(peers)][way].append(int(ns) / int(count))
        elif row[0] == "flows":
            way, flows, _, _, count, ns = row[1:7]
            self.flows[int(flows)][way].append(int(ns) / int(count))
        elif row[0] == "fast":
            self.fast[int(row[1])].append(int(row[2]))
        elif row[0] == "programs" and len(row) == 3:
            self.programs[row[1]] = int(row[2])
        elif row[0] == "control":
            self.control[" ".join(row[1:-2])][int(row[-2])].append(int(row[-1]) / 1000)

    def ratios(self, key, what):
        """Speed of each way, of bare in the same turn."""
        ways = self.traffic[key]
        return {way: quartiles([b[what] / w[what] for b, w in zip(ways["bare"], ways[way])])
                for way in WAYS[1:]}

    def traffic_rows(self):
        for key in self.traffic:
            work = key[0]
            kinds = [("mean", "")] if work.endswith("_tx") else [("median", ", median"), ("p99", ", p99")]
            for what, name in kinds:
                bare = statistics.median(t[what] for t in self.traffic[key]["bare"])
                yield key, what, NAMES[work] + name, bare, self.ratios(key, what)

    def tables(self):
        turns = max((len(w["bare"]) for w in self.traffic.values()), default=0)
        yield f"### Speed, of the bare underlay's ({turns} turns)\n"
        yield "| | flows | IP | bare | kernel overlay | vxbpf |\n|---|---|---|---|---|---|"
        for (work, flows, family), _, name, bare, ratio in self.traffic_rows():
            cells = " | ".join(f"**{m:.2f}** ({l:.2f}-{h:.2f})" for l, m, h in (ratio[w] for w in WAYS[1:]))
            yield f"| {name} | {flows} | {family} | {bare_text(work, bare)} | {cells} |"
        yield "\n### By number of peers\n"
        yield "| | peers | bare | kernel overlay | vxbpf |\n|---|---|---|---|---|"
        for (work, peers), ways in sorted(self.scale.items()):
            cells = " | ".join(f"{statistics.median(ways[w]) / 1000:.1f} us" for w in WAYS)
            yield f"| {NAMES[work]}, each | {peers} | {cells} |"
        yield "\n### By number of flows, UDP datagrams of 64 bytes, each of the next flow\n"
        yield "| flows | bare | kernel overlay | vxbpf | of them fast |\n|---|---|---|---|---|"
        for flows, ways in sorted(self.flows.items()):
            cells = " | ".join(f"{statistics.median(ways[w]) / 1000:.1f} us" for w in WAYS)
            yield f"| {flows} | {cells} | {statistics.median(self.fast[flows]):.0f} % |"
        yield "\n### Each program by itself, on a frame that the kernel's path carries\n"
        yield "| | " + " | ".join(self.programs) + " |\n|---" * 1 + "|---" * len(self.programs) + "|"
        yield "| ns | " + " | ".join(str(v) for v in self.programs.values()) + " |"
        yield "\n### Commands, in milliseconds\n"
        sizes = sorted({n for by in self.control.values() for n in by})
        yield "| | " + " | ".join(f"{n} peers" for n in sizes) + " |\n|---" + "|---" * len(sizes) + "|"
        for name, by in self.control.items():
            yield f"| {name} | " + " | ".join(f"{statistics.median(by[n]):.0f}" for n in sizes) + " |"

    def as_json(self):
        return {
            "traffic": [{"work": k[0], "flows": k[1], "family": k[2], "what": what, "bare_ns": round(bare),
                         **{w: dict(zip(("low", "median", "high"), (round(x, 3) for x in r)))
                            for w, r in ratio.items()}}
                        for k, what, _, bare, ratio in self.traffic_rows()],
            "scale": [{"work": k[0], "peers": k[1], **{w: round(statistics.median(v)) for w, v in by.items()}}
                      for k, by in sorted(self.scale.items())],
            "flows": [{"flows": n, **{w: round(statistics.median(v)) for w, v in by.items()},
                       "fast_percent": statistics.median(self.fast[n])}
                      for n, by in sorted(self.flows.items())],
            "programs_ns": self.programs,
            "control_ms": {name: {str(n): round(statistics.median(v), 1) for n, v in by.items()}
                           for name, by in self.control.items()},
        }

    def plot(self, path):
        bars = [f'"{name.replace(", median", "").replace(" of 64 bytes", "").replace(", request, response", "...")}" {r["kernel"][1]:.3f} {r["vxbpf"][1]:.3f}'
                for (_, flows, family), what, name, _, r in self.traffic_rows()
                if flows == 1 and family == 4 and what != "p99"]
        points = [f"{peers} " + " ".join(f"{statistics.median(ways[w]) / 1000:.2f}" for w in WAYS)
                  for (work, peers), ways in sorted(self.scale.items()) if work == "tcp_rr"]
        flows = [f"{n} " + " ".join(f"{statistics.median(ways[w]) / 1000:.2f}" for w in WAYS)
                 for n, ways in sorted(self.flows.items())]
        script = f"""set terminal svg size 1400,420 font "sans,12" background "white"
set output "{path}"
set multiplot layout 1,3
set style data histograms
set style fill solid 0.8 noborder
set yrange [0:1.1]
set ylabel "of the bare underlay's speed"
set xtics rotate by -25
set key above
$bars << END
{os.linesep.join(bars)}
END
plot 1 lc "#888888" title "bare", $bars using 2:xtic(1) lc "#cc7722" title "kernel overlay", \
    $bars using 3 lc "#2266aa" title "vxbpf"
set key inside top left
set xtics norotate
set logscale xy
set autoscale y
set ylabel "TCP round trip, microseconds"
set xlabel "peers"
set xtics (3, 10, 50, 200)
$points << END
{os.linesep.join(points)}
END
plot $points using 1:2 with linespoints lc "#888888" title "bare", \
    $points using 1:3 with linespoints lc "#cc7722" title "bridge + VXLAN + ebtables", \
    $points using 1:4 with linespoints lc "#2266aa" title "vxbpf"
set key inside bottom left vertical maxcols 1
unset logscale y
set yrange [0:*]
set xrange [0.8:80000]
set ylabel "UDP datagram, microseconds"
set xlabel "flows"
set xtics ("1" 1, "1k" 1000, "10k" 10000, "50k" 50000)
$flows << END
{os.linesep.join(flows)}
END
plot $flows using 1:2 with linespoints lc "#888888" title "bare", \
    $flows using 1:3 with linespoints lc "#cc7722" title "kernel overlay", \
    $flows using 1:4 with linespoints lc "#2266aa" title "vxbpf"
"""
        subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    report = Report(sys.argv[1])
    text = "\n".join(report.tables())
    print(text)
    page = open("docs/bench.md").read()
    page = re.sub(r"(<!-- begin -->\n).*(<!-- end -->)", lambda m: m[1] + text + "\n\n" + m[2], page, flags=re.S)
    open("docs/bench.md", "w").write(page)
    with open("docs/bench.json", "w") as out:
        json.dump(report.as_json(), out, indent=1)
        out.write("\n")
    if report.traffic and report.scale and report.flows:
        report.plot("docs/bench.svg")


main()
