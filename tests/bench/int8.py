"""Times INT8 models of `intaglio quantize` in our executor, beside their FP32 originals and onnxruntime.

One thread, in alternation, medians of rounds. Two ratios, above 1 where our INT8 is faster: the FP32
original's time over it, and onnxruntime's time for the same INT8 model over it.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

from bench import ASSETS, geometric_mean, make_inputs, median_ms, our_command, ours, session
from recipes import PREPROCESS


def measure(options, path, folder):
    int8 = pathlib.Path(folder) / "int8.onnx"
    subprocess.run([options.program, "--quiet", "quantize", path, "--data", ASSETS.parent / "calib", "--limit", "100",
                    *PREPROCESS[path.stem], "--effort", "fast", "--eval-limit", "0", "-o", int8],
                   check=True, stdout=subprocess.DEVNULL)
    feeds, theirs = make_inputs(path), session(int8, 1)
    repeat = max(5, min(500, int(options.milliseconds / median_ms(lambda: theirs.run(None, feeds), 3))))
    times = {"fp32": [], "int8": [], "onnxruntime": []}
    for _ in range(options.rounds):
        for name, model in (("fp32", path), ("int8", int8)):
            command = our_command(options, model, feeds, folder, "--threads", "1", "--repeat", str(repeat))
            times[name].append(ours(command)["latency_ms"]["median"])
        times["onnxruntime"].append(median_ms(lambda: theirs.run(None, feeds), repeat))
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--milliseconds", type=float, default=300, help="of onnxruntime per round and model")
    options = p.parse_args()
    paths = [path for path in (ASSETS / f"{name}.onnx" for name in PREPROCESS) if path.exists()]
    if len(paths) < len(PREPROCESS):
        print(f"SKIPPED: {len(PREPROCESS) - len(paths)} models that are not in {ASSETS}", file=sys.stderr)
    if not paths:
        raise SystemExit("no model to measure; set INTAGLIO_SHARED to the folder of the assets")
    print("| model | FP32, ms | INT8, ms | onnxruntime INT8, ms | FP32 / INT8 | onnxruntime / INT8 |")
    print("|---|---|---|---|---|---|")
    rows = []
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            m = measure(options, path, folder)
        rows.append((m["fp32"] / m["int8"], m["onnxruntime"] / m["int8"]))
        print(f"| {path.stem} | {m['fp32']:.3f} | {m['int8']:.3f} | {m['onnxruntime']:.3f} | "
              f"{rows[-1][0]:.2f} | {rows[-1][1]:.2f} |", flush=True)
    print(f"| geometric mean | | | | {geometric_mean(r[0] for r in rows):.2f} | "
          f"{geometric_mean(r[1] for r in rows):.2f} |")


if __name__ == "__main__":
    main()
