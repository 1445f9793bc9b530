"""Times `intaglio run` against onnxruntime on the same models and inputs.

Both programs run in alternation, several rounds each, so that what else the machine does meets both.
A ratio is onnxruntime's time over ours: above 1 we are faster.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import onnxruntime as ort

ROOT = pathlib.Path(__file__).resolve().parents[2]
ASSETS = pathlib.Path(os.environ.get("INTAGLIO_SHARED", ROOT.parent / "shared")) / "assets" / "models"
DEFAULT = ["mobilenet_v2_1.0_224_dither", "mobilenet_v1_0.5_224_bn",
           "mobilenet_v3_large_minimalistic_dither_unequalized", "mcunet_144_dither", "tiny_darknet",
           "squeezenet1.1_fp32_from_fp16", "resnet_large_cifar10_float", "yolox_nano"]


def session(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def make_inputs(path):
    """Random values of the shape that the model asks for; unknown lengths are 1, or 224 for images."""
    random = np.random.default_rng(0)
    feeds = {}
    for value in session(path, 1).get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else (1 if i < len(value.shape) - 2 else 224)
                 for i, d in enumerate(value.shape)]
        kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16}.get(value.type)
        if kind is None:
            raise SystemExit(f"{path}: no generator for inputs of type {value.type}")
        feeds[value.name] = random.standard_normal(shape).astype(kind)
    return feeds


def our_command(options, path, feeds, folder, *extra):
    command = [options.program, "--quiet", *extra[:2], "run", str(path), "--json", *extra[2:]]
    for i, (name, value) in enumerate(feeds.items()):
        file = os.path.join(folder, f"{i}.npy")
        if not os.path.exists(file):
            np.save(file, value)
        command += ["--input", f"{name}={file}"]
    return command


def ours(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def median_ms(run, repeat):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def throughput(runs, repeat):
    """Calls each of `runs` in a thread of its own; calls per second of all together."""
    def work(run):
        for _ in range(repeat // len(runs)):
            run()
    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    start = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return len(runs) * (repeat // len(runs)) / (time.perf_counter() - start)


def own_peak_bytes():
    for line in open("/proc/self/status", encoding="utf-8"):
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    return 0


def measure(options, path):
    cores = os.cpu_count()
    feeds = make_inputs(path)
    single, shared = session(path, 1), session(path, cores)
    each = [session(path, 1) for _ in range(cores)]
    run = lambda s: (lambda: s.run(None, feeds))
    rows = {"ours": [], "theirs": [], "our_rate": [], "rate_shared": [], "rate_each": []}
    with tempfile.TemporaryDirectory() as folder:
        once = median_ms(run(single), 3)
        repeat = max(5, min(200, int(options.milliseconds / once)))
        one = our_command(options, path, feeds, folder, "--threads", "1", "--repeat", str(repeat))
        many = our_command(options, path, feeds, folder, "--threads", str(cores), "--parallel", "--repeat",
                           str(repeat * cores))
        for _ in range(options.rounds):
            rows["ours"].append(ours(one)["latency_ms"]["median"])
            rows["theirs"].append(median_ms(run(single), repeat))
            rows["our_rate"].append(ours(many)["samples_per_s"])
            rows["rate_shared"].append(throughput([run(shared)], repeat * cores))
            rows["rate_each"].append(throughput([run(s) for s in each], repeat * cores))
        profiled = ours(one + ["--profile"])
        gflop = sum(s["gflops"] * s["ms"] / 1000 for s in profiled["profile"])
        ours_mb = ours(one)["peak_memory_bytes"] / 1e6
        alone = [sys.executable, __file__, "--one", str(path), "--repeat", str(repeat)]
        theirs_mb = ours(alone)["peak_memory_bytes"] / 1e6
    m = {key: statistics.median(values) for key, values in rows.items()}
    return {"model": path.stem, "ours_ms": m["ours"], "theirs_ms": m["theirs"],
            "ratio": m["theirs"] / m["ours"], "ours_per_s": m["our_rate"],
            "theirs_per_s": max(m["rate_shared"], m["rate_each"]),
            "rate_ratio": m["our_rate"] / max(m["rate_shared"], m["rate_each"]),
            "ours_mb": ours_mb, "theirs_mb": theirs_mb, "gflops": 1000 * gflop / m["ours"]}


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def cpu_name():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("models", nargs="*", type=pathlib.Path)
    p.add_argument("--program", default="build/release/intaglio")
    p.add_argument("--peak", help="program that prints the GFLOP/s of a large matrix product")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--milliseconds", type=float, default=400, help="of onnxruntime per round and model")
    p.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    p.add_argument("--one", type=pathlib.Path, help=argparse.SUPPRESS)
    p.add_argument("--repeat", type=int, default=1, help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.one:
        feeds = make_inputs(options.one)
        s = session(options.one, 1)
        for _ in range(options.repeat):
            s.run(None, feeds)
        print(json.dumps({"peak_memory_bytes": own_peak_bytes()}))
        return
    models = options.models or [ROOT / "data" / "demo.onnx"] + [
        ASSETS / f"{name}.onnx" for name in DEFAULT if (ASSETS / f"{name}.onnx").exists()]
    if not options.models and len(models) < 1 + len(DEFAULT):
        print(f"SKIPPED: {1 + len(DEFAULT) - len(models)} models that are not in {ASSETS}", file=sys.stderr)
    peak = float(subprocess.run([options.peak], check=True, capture_output=True, text=True).stdout) \
        if options.peak else None
    print(f"{cpu_name()}, {os.cpu_count()} cores, onnxruntime {ort.__version__}"
          + (f", peak {peak:.0f} GFLOP/s per core" if peak else ""))
    print(f"{'model':44} {'ours ms':>8} {'ort ms':>8} {'ratio':>6} {'ours/s':>8} {'ort/s':>8} {'ratio':>6} "
          f"{'ours MB':>8} {'ort MB':>7} {'GFLOP/s':>8} {'of peak':>8}")
    rows = []
    for path in models:
        r = measure(options, path)
        rows.append(r)
        share = f"{100 * r['gflops'] / peak:7.0f}%" if peak else ""
        print(f"{r['model'][:44]:44} {r['ours_ms']:8.3f} {r['theirs_ms']:8.3f} {r['ratio']:6.2f} "
              f"{r['ours_per_s']:8.1f} {r['theirs_per_s']:8.1f} {r['rate_ratio']:6.2f} {r['ours_mb']:8.0f} "
              f"{r['theirs_mb']:7.0f} {r['gflops']:8.0f} {share:>8}", flush=True)
    print(f"{'geometric mean':44} {'':8} {'':8} {geometric_mean([r['ratio'] for r in rows]):6.2f} "
          f"{'':8} {'':8} {geometric_mean([r['rate_ratio'] for r in rows]):6.2f}")
    if options.json:
        options.json.write_text(json.dumps({"cpu": cpu_name(), "cores": os.cpu_count(), "peak_gflops": peak,
                                            "onnxruntime": ort.__version__, "models": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
