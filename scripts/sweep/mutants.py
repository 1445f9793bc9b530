#!/usr/bin/env python3
"""What the onnx checker refuses of broken models, beside what the program refuses.

    mkdir /tmp/mutants
    INTAGLIO_SWEEP=all INTAGLIO_SWEEP_STEP=97 INTAGLIO_SWEEP_KEEP=/tmp/mutants build/dev/tests/test_fuzz \\
        --gtest_filter='BrokenModels.OfEveryOperator'
    python3 scripts/sweep/mutants.py /tmp/mutants        (needs onnx==1.23.2)

Prints, for each way the models were taken, how many of those that the checker (full_check) refuses
the program refuses too and how many of these refusals name a node, and what the others are.
"""
import collections
import csv
import pathlib
import re
import sys

import onnx


def refused_by_checker(path):
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
    except Exception as error:  # whatever the checker throws is a refusal
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ""


def kind_of(name):
    """'case 7: test_x: node 1 (Conv): pads = -1: run' -> 'Conv: pads = -1'"""
    parts = name.split(": ")
    return ": ".join(re.sub(r"^(node \d+ |constant|input|output|value).*?(\(\w+\))?$", r"\1\2", p) for p in parts[2:-1])


def main():
    folder = pathlib.Path(sys.argv[1])
    counts = collections.defaultdict(collections.Counter)
    missed = collections.defaultdict(list)
    lines = (folder / "said.tsv").read_text(errors="replace").splitlines()
    for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(row) < 5:
            continue
        file, way, said, name, reason = row[:5]
        why = refused_by_checker(folder / file)
        count = counts[way]
        count["models"] += 1
        if not why:
            count["taken by the checker, refused here"] += said == "refused"
            continue
        count["refused by the checker"] += 1
        count["and refused here"] += said == "refused"
        count["with the node named"] += bool(said == "refused" and re.search(r"\bnode\b|initializer|input|output|opset|IR", reason))
        if said != "refused":
            missed[way].append((kind_of(name), why, file))
    for way, count in counts.items():
        share = count["and refused here"] / max(1, count["refused by the checker"])
        print(f"{way}: {dict(count)}: {100 * share:.1f} %")
        for kind, why, file in missed[way]:
            print(f"   {file}\t{kind}\t{why[:120]}")


main()
