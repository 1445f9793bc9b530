"""Builds small float graphs of the kinds that people export, quantizes each in every form, and judges the results.

    graphs --intaglio PROGRAM --out DIR [--only PATTERN] [--cases DIR]

Writes DIR/graphs/ (models and samples), DIR/results.json and DIR/table.md. With --cases the folders below DIR are
measured in place of the graphs built here.
"""

import argparse
import collections
import dataclasses
import importlib
import json
import pathlib
import re
import sys

import measure


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--intaglio", default="build/release/intaglio", type=measure.program, help="the program")
    p.add_argument("--out", default="build/sweep", type=pathlib.Path, help="folder of models, results and table")
    p.add_argument(
        "--only", default="", metavar="PATTERN", help="only graphs whose name matches this regular expression"
    )
    p.add_argument("--cases", type=pathlib.Path, help="measure the cases in this folder instead")
    p.add_argument("--resume", action="store_true", help="keep the results that are there already")
    families = ["helper", "torch", "transformers", "vision"]
    p.add_argument("--families", nargs="*", default=families, choices=families, help="only these")
    return p.parse_args()


def cases(o):
    if o.cases:
        yield from (c for c in measure.cases_in(o.cases) if re.search(o.only, c.name))
        return
    import common

    for family in o.families:
        importlib.import_module(f"graphs_{family}")
    for name in common.BUILDERS:
        if re.search(o.only, name):
            try:
                folder = common.build(name, o.out / "graphs")
            except Exception as e:  # an exporter's failure is no finding about the quantizer
                print(f"{name}: not built: {str(e).splitlines()[0][:150]}", file=sys.stderr)
                continue
            yield dataclasses.replace(measure.cases_in(folder)[0], name=name)


def main():
    o = arguments()
    o.out.mkdir(parents=True, exist_ok=True)
    path = o.out / ("cases.json" if o.cases else "results.json")
    results = {r["name"]: r for r in json.loads(path.read_text())} if path.exists() and (o.resume or o.only) else {}
    for result in results.values():
        result["short"] = measure.judge(result)
    for case in cases(o):
        if o.resume and case.name in results:
            continue
        try:
            results[case.name] = measure.measure(o.intaglio, case, o.out / "forms" / case.name)
        except Exception as e:
            print(f"{case.name}: not measured: {e}", file=sys.stderr)
            continue
        print(case.name, *(results[case.name]["short"] or ["ok"]), sep="\n  ", flush=True)
        path.write_text(json.dumps(list(results.values()), indent=1))
        (o.out / ("cases.md" if o.cases else "table.md")).write_text(measure.table(results.values()))
    rules = collections.Counter(s.split(": ")[1] for r in results.values() for s in r["short"])
    good = sum(not r["short"] for r in results.values())
    print(f"{len(results)} graphs, {good} without a fault; " + ", ".join(f"{r} {n}" for r, n in rules.most_common()))


main()
