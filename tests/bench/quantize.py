"""Times `intaglio quantize` against onnxruntime's quantizer, from the start of the process to the written file.

Both jobs get the same images, in alternation. onnxruntime's one is the script of the assets beside the checkout
(peers/ort_quantize.py), with its imports. A ratio is its time over ours: above 1 we are faster.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from recipes import PREPROCESS

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("INTAGLIO_SHARED", ROOT.parent / "shared"))
MODELS = ["mobilenet_v2_1.0_224_dither", "tiny_darknet", "squeezenet1.1_fp32_from_fp16"]
# onnxruntime's job chooses ranges and does not compare its result with FP32: "fast, not compared" does the same.
EFFORTS = {"fast, not compared": ["--effort", "fast", "--eval-limit", "0"], "fast": ["--effort", "fast"],
           "balanced": ["--effort", "balanced"], "best": ["--effort", "best"]}
OUR_METHODS = ["minmax", "percentile", "mse", "entropy"]
ITS_METHODS = ["minmax", "percentile", "entropy"]


def timed(command, **more):
    """Seconds and peak megabytes of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {process.stderr.read().decode()}")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--model", action="append", choices=MODELS, help="default: all")
    options = parser.parse_args()
    its_job = SHARED / "peers" / "ort_quantize.py"
    if not its_job.exists():
        raise SystemExit(f"{its_job}: not there; set INTAGLIO_SHARED to the folder of the assets")
    data = SHARED / "assets" / "calib"
    with tempfile.TemporaryDirectory() as folder:
        for model in options.model or MODELS:
            path = SHARED / "assets" / "models" / f"{model}.onnx"
            ours = {(m, e): [] for m in OUR_METHODS for e in EFFORTS}
            its = {m: [] for m in ITS_METHODS}
            for _ in range(options.rounds):
                for method in OUR_METHODS:
                    for effort, flags in EFFORTS.items():
                        ours[method, effort].append(timed(
                            [options.program, "--quiet", "quantize", path, "--data", data, "--limit",
                             str(options.images), *PREPROCESS[model], "--method", method, *flags, "-o",
                             f"{folder}/ours.onnx"]))
                    if method in its:
                        its[method].append(timed([sys.executable, its_job, path, "--data", data, "--limit",
                                                  str(options.images), "--recipe", model, "--out",
                                                  f"{folder}/its.onnx", "--method", method, "--format", "qdq"],
                                                 cwd=its_job.parent))
            print(f"\n{model}, {options.images} images, medians of {options.rounds} rounds")
            print("| method | effort | ours, s | onnxruntime, s | ratio | ours, MB | onnxruntime, MB |")
            print("|---|---|---|---|---|---|---|")
            for (method, effort), figures in ours.items():
                mine = statistics.median(s for s, _ in figures)
                memory = max(mb for _, mb in figures)
                if method not in its:
                    print(f"| {method} | {effort} | {mine:.2f} | | | {memory:.0f} | |")
                    continue
                other = statistics.median(s for s, _ in its[method])
                print(f"| {method} | {effort} | {mine:.2f} | {other:.2f} | {other / mine:.1f} | {memory:.0f} | "
                      f"{max(mb for _, mb in its[method]):.0f} |")


if __name__ == "__main__":
    main()
