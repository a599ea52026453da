"""The figures as tables and as JSON.

Of several rounds the best of each figure counts: what disturbs a measurement only ever makes it worse. Ratios are to
the first line of a table.
"""

import json
from dataclasses import asdict

COSTS = ["cpu_seconds_per_million_spans", "sender_cpu_seconds_per_million_spans", "p50_ms", "p99_ms", "peak_mib"]
GAINS = ["spans_per_second_unpaced", "highest_loss_free_spans_per_second", "delivered_per_cpu_second"]


def write(file, machine, versions, plan, receivers, figures):
    """Prints the tables and writes all figures."""
    best = {kind: {name: best_of(rounds) for name, rounds in named.items()} for kind, named in figures.items()}
    settings = asdict(plan)
    print(facts("machine", machine), facts("versions", versions), facts("settings", settings), sep="\n", end="\n\n")
    if best["receivers"]:
        does = {receiver.name: receiver.does for receiver in receivers}
        print(receiver_table(best["receivers"], does), end="\n\n")
    if best["senders"]:
        print(sender_table(best["senders"]), end="\n\n")
    whole = {"machine": machine, "versions": versions, "settings": settings, "best": best, "rounds": figures}
    file.write_text(json.dumps(whole, indent=2) + "\n")
    print(f"all figures: {file}")


def facts(what, values):
    return f"{what}: " + ", ".join(f"{name} {value}" for name, value in values.items())


def best_of(rounds):
    """The best of each figure; of what went wrong, the worst."""
    best = {}
    for name in rounds[0]:
        values = [figures[name] for figures in rounds if figures[name] is not None]
        if name in COSTS:
            best[name] = min(values)
        elif name in GAINS:
            best[name] = max(values, default=None)
        elif name == "did_all_its_work":
            best[name] = all(values)
        else:
            best[name] = max(values)
    return best


def receiver_table(best, does):
    base = next(iter(best.values()))
    head = ["receiver", "what it does", "CPU-s per million spans", "×", "loss-free spans/s", "×", "p50 ms", "p99 ms", "peak MiB", "×"]
    rows = []
    for name, figures in best.items():
        cost, rate, peak = (figures[key] for key in (COSTS[0], GAINS[1], "peak_mib"))
        rate_ratio = ratio(rate, base[GAINS[1]]) if rate and base[GAINS[1]] else "–"
        trouble = "" if not figures["lost_spans"] and figures["did_all_its_work"] else " (lost or left undone: see JSON)"
        row = [name + trouble, does[name], f"{cost:.2f}", ratio(cost, base[COSTS[0]]), f"{rate:,}" if rate else "–", rate_ratio]
        rows.append([*row, f"{figures['p50_ms']:.2f}", f"{figures['p99_ms']:.2f}", f"{peak:,.0f}", ratio(peak, base["peak_mib"])])
    return table(head, rows)


def sender_table(best):
    base = next(iter(best.values()))["delivered_per_cpu_second"]
    head = ["load maker", "delivered", "dropped", "delivered per CPU-second", "×"]
    rows = []
    for name, figures in best.items():
        dropped = 1 - figures["delivered"] / figures["made"]
        each = figures["delivered_per_cpu_second"]
        rows.append([name, f"{figures['delivered']:,}", f"{dropped:.0%}", f"{each:,.0f}", ratio(each, base)])
    return table(head, rows)


def ratio(value, base):
    return f"{value / base:.3g}"


def table(head, rows):
    """A Markdown table that is readable as it stands: text to the left, figures to the right."""
    columns = list(zip(head, *rows))
    widths = [max(map(len, column)) for column in columns]
    figures = [column[1][:1].isdigit() or column[1] == "–" for column in columns]

    def line(cells):
        padded = (cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(cells, widths, figures))
        return f"| {' | '.join(padded)} |"

    rule = "|".join("-" * (width + 1) + (":" if right else "-") for width, right in zip(widths, figures))
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])
