"""Quantizes a float model in every form, measures the results under onnxruntime, and judges them by rules.

A case is a folder of a model with samples to calibrate with and, beside them, others to measure on:
`model.onnx`, `data/`, `eval/`; or `m.onnx`, `x.npy`, `e.npy`. Folders may be nested.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import re
import subprocess
import time

import numpy as np
import onnx
import onnxruntime as ort

ort.set_default_logger_severity(4)

FORMS = {
    "qdq": ["--format", "qdq"],
    "qoperator": ["--format", "qoperator"],
    "contrib": ["--format", "qoperator", "--contrib"],
    "dynamic": ["--format", "dynamic"],
    "weights": ["--format", "weights"],
}
STATIC = ("qdq", "qoperator", "contrib")
PRODUCTS = {"Conv", "ConvTranspose", "Gemm", "MatMul", "FusedConv", "FusedGemm", "FusedMatMul", "NhwcFusedConv"}
PERFECT = 99.0  # dB, when there is no difference


@dataclasses.dataclass
class Case:
    name: str
    exporter: str
    model: pathlib.Path
    data: pathlib.Path
    eval: pathlib.Path


def cases_in(root):
    """Every case at or below a folder, by name."""
    found = []
    for model in sorted(pathlib.Path(root).rglob("*.onnx")):
        folder = model.parent
        own = [folder / f"{model.stem}{end}" for end in (".npz", ".npy")]
        data = first([*own, folder / "data", folder / "d", folder / "x.npy"])
        held_out = first([folder / "eval", folder / "real", folder / "e.npy", data])
        if not data:
            continue
        about = folder / "about.json"
        exporter = json.loads(about.read_text())["exporter"] if about.exists() else ""
        name = str(folder.relative_to(root)) + ("" if model.stem in ("m", "model") else f"/{model.stem}")
        found.append(Case(name, exporter, model, data, held_out))
    return found


def first(paths):
    return next((p for p in paths if p and p.exists()), None)


# Samples ------------------------------------------------------------------------------------------------------------


def feeds(case, path):
    """The samples of a file or folder as lists of feeds, one sample of the batch axis each, as intaglio reads them."""
    inputs = ort.InferenceSession(str(case.model), options(None), providers=["CPUExecutionProvider"]).get_inputs()
    files = sorted(p for p in path.rglob("*") if p.suffix in (".npy", ".npz")) if path.is_dir() else [path]
    out = []
    for file in files:
        loaded = np.load(file)
        sample = dict(loaded) if file.suffix == ".npz" else {inputs[0].name: loaded}
        out += split(sample, inputs)
    return out


def split(sample, inputs):
    ranks = {i.name: len(i.shape) for i in inputs}
    fixed = any(isinstance(i.shape[0], int) for i in inputs if i.shape)
    counts = {a.shape[0] for n, a in sample.items() if a.ndim == ranks[n] and a.ndim}
    if all(a.ndim == ranks[n] + 1 for n, a in sample.items()):  # a stack of feeds
        return [{n: a[i] for n, a in sample.items()} for i in range(len(next(iter(sample.values()))))]
    if any(a.ndim == ranks[n] - 1 for n, a in sample.items()) and len(sample) == 1:
        return [{n: a[None] for n, a in sample.items()}]
    if fixed and counts != {1} and len(counts) == 1:
        size = next(i.shape[0] for i in inputs if i.shape)
        count = counts.pop() // size
        return [{n: a[i * size : (i + 1) * size] for n, a in sample.items()} for i in range(count)]
    if len(counts) == 1 and len(sample) == sum(a.ndim > 0 for a in sample.values()):
        return [{n: a[i : i + 1] for n, a in sample.items()} for i in range(counts.pop())]
    return [sample]


# onnxruntime --------------------------------------------------------------------------------------------------------


def options(level, save=None):
    o = ort.SessionOptions()
    o.intra_op_num_threads = 1
    o.log_severity_level = 4
    if level == 0 or level is None:
        o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if save:
        o.optimized_model_filepath = str(save)
    return o


def session(model, level, save=None):
    return ort.InferenceSession(str(model), options(level, save), providers=["CPUExecutionProvider"])


def fit(sample, runner):
    """A sample with the element types that a model asks for (a float16 model may have got float inputs)."""
    kinds = {i.name: i.type for i in runner.get_inputs()}
    halves = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
    cast = lambda n, a: a.astype(halves[kinds[n]]) if kinds[n] in halves and a.dtype.kind == "f" else a
    return {n: cast(n, a) for n, a in sample.items() if n in kinds}


def run(runner, samples):
    """Name of each float output -> its values over all samples, as lists of arrays."""
    names = [o.name for o in runner.get_outputs()]
    results = {}
    for sample in samples:
        for name, value in zip(names, runner.run(None, fit(sample, runner))):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                results.setdefault(name, []).append(value.astype(np.float64))
    return results


def sqnr(reference, results):
    """dB of the worst output, NaN and infinities that both have left out; -99 where only one has them."""
    worst = {}
    for name, wanted in reference.items():
        signal = noise = 0.0
        for r, q in zip(wanted, results.get(name, [])):
            if r.shape != q.shape:
                return name, -99.0
            finite = np.isfinite(r)
            if not np.array_equal(finite, np.isfinite(q)):
                worst[name] = -99.0
            r, q = r[finite & np.isfinite(q)], q[finite & np.isfinite(q)]
            signal += np.sum(r * r)
            noise += np.sum((r - q) ** 2)
        if name not in worst and signal > 0:
            worst[name] = min(PERFECT, 10 * math.log10(signal / noise)) if noise > 0 else PERFECT
    return min(worst.items(), key=lambda item: item[1], default=(None, None))


def timed(runner, sample, budget=0.08):
    """Least milliseconds of a run, of the processor: with one thread onnxruntime runs in ours."""
    sample = fit(sample, runner)
    best, end = math.inf, time.perf_counter() + budget
    while time.perf_counter() < end or best == math.inf:
        start = time.thread_time()
        runner.run(None, sample)
        best = min(best, time.thread_time() - start)
    return 1e3 * best


def float_products(model):
    """How many convolutions and products of a graph compute in float."""
    return sum(n.op_type in PRODUCTS for n in onnx.load(model, load_external_data=False).graph.node)


# The program --------------------------------------------------------------------------------------------------------


PROGRESS = re.compile(r"\d+/\d+ \(\d+ %\)")


def program(path):
    """The program at a path, for an argument of a command line."""
    try:
        return pathlib.Path(path).resolve(strict=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error))


def call(program, *arguments):
    command = [str(program), "--threads", "1", *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return 124, "", "no end within 300 s"
    words = "\n".join(l for l in done.stderr.splitlines() if not PROGRESS.search(l))
    return done.returncode, done.stdout, words


def size_of(model):
    """Bytes of a model with what it stores beside it."""
    constants = onnx.load(model, load_external_data=False).graph.initializer
    beside = {e.value for c in constants for e in c.external_data if e.key == "location"}
    return sum((model.parent / f).stat().st_size for f in (model.name, *beside))


COUNTS = re.compile(r"(\d+) nodes in integers, (\d+) in float, (\d+) misfits|(\d+) nodes quantized, (\d+) left float")


def said(text):
    """Nodes in integers and in float as `quantize` prints them: (integer, float, misfits)."""
    match = COUNTS.search(text)
    if not match:
        return None
    numbers = [int(g) for g in match.groups() if g]
    return numbers if len(numbers) == 3 else [*numbers, 0]


def check(program, model):
    code, out, _ = call(program, "check", model, "--target", "onnxruntime", "--json")
    if not out.startswith("{"):
        return {"exit": code}
    result = json.loads(out)
    verdicts = [n["verdict"] for n in result["nodes"]]
    floats = sum(n["verdict"] != "integer" and n["op"] in PRODUCTS for n in result["nodes"])
    misfits = [f"{n['op']}: {n['reason']}" for n in result["nodes"] if n["verdict"] == "misfit"]
    counts = [verdicts.count(v) for v in ("integer", "float", "misfit")]
    return {"exit": code, "fits": result["fits"], "counts": counts, "float_products": floats, "misfits": misfits}


def evaluated(program, model, case):
    code, out, err = call(program, "evaluate", model, "--reference", case.model, "--data", case.eval, "--json")
    if not out.startswith("{"):
        return None, err.strip()
    outputs = json.loads(out)["evaluation"]["outputs"]
    return {o["name"]: o["sqnr_db"] for o in outputs}, ""


# One case -----------------------------------------------------------------------------------------------------------


def measure(program, case, work):
    """All figures of a case, and the rules that it falls short of."""
    work.mkdir(parents=True, exist_ok=True)
    samples, seen = feeds(case, case.eval), feeds(case, case.data)[:16]
    plain = session(case.model, None)
    reference, reference_seen = run(plain, samples), run(plain, seen)
    quick = session(case.model, 99)
    bytes_in, nodes = size_of(case.model), len(onnx.load(case.model, load_external_data=False).graph.node)
    result = {
        "name": case.name,
        "exporter": case.exporter,
        "bytes": bytes_in,
        "nodes": nodes,
        "samples": len(samples),
        "states": any(not np.any(a) for s in seen for a in s.values()),
        "float_ms": timed(quick, samples[0]),
        "forms": {},
    }
    for form, arguments in FORMS.items():
        figures = measure_form(program, case, work, form, arguments, samples, reference)
        if "ms" in figures:
            figures["seen"] = sqnr(reference_seen, run(session(work / f"{form}.onnx", 99), seen))[1]
            result["float_ms"] = min(result["float_ms"], timed(quick, samples[0]))
            figures["size_ratio"] = figures["bytes"] / bytes_in
        result["forms"][form] = figures
    for form, figures in result["forms"].items():
        if "ms" in figures:
            figures["time_ratio"] = figures["ms"] / result["float_ms"]
    result["short"] = judge(result)
    return result


def measure_form(program, case, work, form, arguments, samples, reference):
    out, report = work / f"{form}.onnx", work / f"{form}.json"
    out.unlink(missing_ok=True)
    code, text, words = call(
        program, "quantize", case.model, "--data", case.data, "-o", out, "--report", report, *arguments
    )
    figures = {"exit": code, "said": said(text), "stdout": text, "stderr": words}
    if code not in (0, 8) or not out.exists():
        return figures
    figures["warnings"] = json.loads(report.read_text())["warnings"]
    figures["bytes"] = size_of(out)
    figures["check"] = check(program, out)
    figures["evaluate"], figures["evaluate_error"] = evaluated(program, out, case)
    try:
        plain = run(session(out, 0), samples)
        runner = session(out, 99, work / f"{form}.optimized.onnx")
        quick = run(runner, samples)
    except Exception as e:  # onnxruntime raises types of its own
        figures["onnxruntime"] = str(e).splitlines()[0][:300]
        return figures
    figures["level0"], figures["default"] = sqnr(reference, plain)[1], sqnr(reference, quick)[1]
    figures["worst_output"] = sqnr(reference, quick)[0]
    figures["by_output"] = {n: sqnr({n: reference[n]}, quick)[1] for n in reference}
    figures["runtime_float_products"] = float_products(work / f"{form}.optimized.onnx")
    figures["ms"] = timed(runner, samples[0])
    return figures


# Rules --------------------------------------------------------------------------------------------------------------

SLOW = re.compile(r"\b(slow|speed|fast|time\b)", re.I)


def poor(figure, dynamic):
    return figure is not None and figure < 28 and (dynamic is None or figure < dynamic - 8)


def judge(result):
    """The rules that a case falls short of: a list of "form: rule: figures"."""
    short = []
    dynamic = result["forms"]["dynamic"].get("default")
    for form, f in result["forms"].items():
        say = lambda rule, text: short.append(f"{form}: {rule}: {text}")
        if f["exit"] not in (0, 8):
            error = next((l for l in f["stderr"].splitlines() if l.startswith("intaglio:")), f["stderr"][-200:])
            rule = "crash" if f["exit"] in (1, 124) or f["exit"] < 0 else "refused"
            say(rule, f"exit {f['exit']}: {error[:200]}")
            continue
        if "onnxruntime" in f:
            say("load", f["onnxruntime"])
            continue
        level0, default = f["level0"], f["default"]
        if default is not None:
            if default < level0 - 3:
                say("levels", f"{level0:.1f} at level 0, {default:.1f} by default")
            if form in STATIC and poor(default, dynamic):
                rule = "sqnr" if poor(f["seen"], dynamic) or result["states"] else "unseen"
                text = f"{default:.1f} dB, {f['seen']:.1f} on the samples of the calibration"
                say(rule, text + (f", dynamic has {dynamic:.1f}" if dynamic is not None else ""))
        for name, ours in (f["evaluate"] or {}).items():
            theirs = f["by_output"].get(name)
            known = PERFECT if ours is None else min(PERFECT, ours)  # none: no difference, or not a number
            if theirs is not None and abs(known - theirs) > 1.5 and min(known, theirs) < 60:
                say("evaluate", f"'{name}' {ours}, onnxruntime {theirs:.1f}")
        if f["evaluate"] is None:
            say("evaluate", f["evaluate_error"][-200:])
        if f["bytes"] > result["bytes"] and not any("larger" in w for w in f["warnings"]):
            say("size", f"{f['size_ratio']:.2f} times the float model's")
        if f["said"] != f["check"].get("counts"):
            say("says", f"quantize {f['said']}, check {f['check'].get('counts')}")
        if f["check"].get("exit") == 8:
            say("misfit", "; ".join(f["check"].get("misfits", []))[:250])
        if f["runtime_float_products"] > f["check"].get("float_products", 0) and form != "weights":
            ours, theirs = f["check"].get("float_products"), f["runtime_float_products"]
            say("kept", f"{theirs} products in float under onnxruntime, check says {ours}")
        words = f["stdout"] + f["stderr"]
        if f["time_ratio"] > 1.15 and f["ms"] - result["float_ms"] > 0.05 and not SLOW.search(words):
            say("speed", f"{f['ms']:.3f} ms, float {result['float_ms']:.3f}")
    return short


def table(results):
    """One Markdown table: SQNR at level 0 / default, size and time as parts of the float model's."""
    lines = ["| graph | exporter | " + " | ".join(FORMS) + " | fell short of |", "|---" * (len(FORMS) + 3) + "|"]
    for r in results:
        cells = []
        for f in r["forms"].values():
            if f.get("default") is None:
                cells.append("does not load" if "onnxruntime" in f else f"exit {f['exit']}")
            else:
                cells.append(f"{f['level0']:.1f} / {f['default']:.1f}, {f['size_ratio']:.2f}, {f['time_ratio']:.2f}")
        rules = sorted({" ".join(s.split(": ")[:2]) for s in r["short"]})
        lines.append(f"| {r['name']} | {r['exporter']} | " + " | ".join(cells) + f" | {', '.join(rules)} |")
    return "\n".join(lines) + "\n"
