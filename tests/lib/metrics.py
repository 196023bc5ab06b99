# SPDX-License-Identifier: GPL-2.0
# Metrics and labels used somewhere, held against the list of those there are (user/show/metrics.def).
#
#   metrics.py list DEF              "name type label,label" of each metric
#   metrics.py used DEF FILE...      what FILE (dashboard, alert rules) uses and DEF does not have
#   metrics.py manual DEF TEXT       what the manual page, as text, says differently
#   metrics.py queries DASHBOARD     each expression, for any instance, overlay and peer, one a line
import json
import re
import sys

# What Prometheus and its rules add.
OTHERS = {"instance", "job", "severity", "alertname"}


def definitions(path):
    rows = re.findall(r'^METRIC\(\w+, "(\w+)", (\w+), \w+, "([\w,]*)", "(.*)"\)$', open(path).read(), re.M)
    return {name: (kind.lower().replace("time", "gauge"), labels.split(",") if labels else [], text)
            for name, kind, labels, text in rows}


def strings(node, keys):
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key in keys:
                yield value
            yield from strings(value, keys)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value, keys)


def places(path):
    """Expressions, each with the texts beside it that show its labels."""
    text = open(path).read()
    if path.endswith(".json"):
        dashboard = json.loads(text)
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                yield target["expr"], target.get("legendFormat", "")
        for variable in dashboard["templating"]["list"]:
            yield variable.get("definition", ""), ""
    else:
        for part in re.split(r"^\s*- (?:alert|name): ", text, flags=re.M):
            series = re.findall(r"series: '(.*?)'", part)
            expr = re.search(r"^\s*expr: (.*)$", part, re.M)
            if expr:
                yield expr[1], part.replace(expr[0], "")
            for one in series:
                yield one, ""


def problems(known, expr, beside):
    used = set(re.findall(r"\bvxbpf_\w+", expr + beside))
    labels = set(OTHERS)
    for metric in used:
        if metric not in known:
            yield f"no such metric: {metric}"
        else:
            labels |= set(known[metric][1])
    for metric, selector in re.findall(r"\b(vxbpf_\w+)\{(.*?)\}", expr):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", selector):
            if metric in known and label not in OTHERS | set(known[metric][1]):
                yield f"{metric} has no label {label}"
    groups = re.findall(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([\w, ]*)\)", expr)
    shown = re.findall(r"\{\{\s*(?!end)(\w+)\s*\}\}", beside) + re.findall(r"\$labels\.(\w+)", beside)
    shown += re.findall(r"label_values\(.*, (\w+)\)", expr)
    grouped = [label.strip() for group in groups for label in group.split(",") if label.strip()]
    for label in grouped + shown:
        if label not in labels:
            yield f"no metric of it has the label {label}: {expr}"


def main(verb, *args):
    if verb == "queries":
        for expr in strings(json.load(open(args[0]))["panels"], {"expr"}):
            print(re.sub(r"\$(instance|overlay|peer)", ".*", expr).replace("$__rate_interval", "1m"))
        return
    known = definitions(args[0])
    if verb == "list":
        for name, (kind, labels, _) in known.items():
            print(name, kind, ",".join(labels))
    elif verb == "used":
        for path in args[1:]:
            found = 0
            for expr, beside in places(path):
                found += "vxbpf_" in expr
                for problem in problems(known, expr, beside):
                    print(f"{path}: {problem}")
            if not found:
                print(f"{path}: no metric at all")
    elif verb == "manual":
        text = " ".join(open(args[1]).read().split())
        for name in sorted(set(re.findall(r"\bvxbpf_\w+", text)) - set(known)):
            print(f"no such metric: {name}")
        for name, (_, labels, sentence) in known.items():
            wanted = " ".join([name] + (["{" + ", ".join(labels) + "}"] if labels else []) + [sentence])
            if wanted not in text:
                print(f"not in the manual: {wanted}")


main(*sys.argv[1:])
