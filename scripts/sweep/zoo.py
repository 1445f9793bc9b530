"""Quantizes float models that packages of many fields bundle, beside onnxruntime's own tool.

    zoo --packages DIR --intaglio PROGRAM --out DIR [--only PATTERN]

DIR of --packages holds the unpacked packages of `requirements-zoo.txt`. Writes DIR/zoo.json and DIR/zoo.md.
"""

import argparse
import dataclasses
import json
import logging
import pathlib
import re
import shutil
import sys
import tempfile

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime as ort
from PIL import Image, ImageDraw, ImageFont

import common
import measure
from common import chirp, image

CALIBRATION, EVALUATION = 24, 40
ZOO = {}  # name -> (path below the packages, draw(rng, model path), name of the output whose classes count or None)


def model(name, path, classes=None, calibration=CALIBRATION, evaluation=EVALUATION):
    def register(draw):
        ZOO[name] = (path, draw, classes, calibration, evaluation)
        return draw

    return register


# Inputs -------------------------------------------------------------------------------------------------------------


@model("file types (magika)", "magika/models/standard_v3_3/model.onnx", "target_label", 64, 100)
def _(rng, _path, files=[]):
    """The first and last 1024 bytes of files that lie about: sources, pages, tables, pictures, libraries."""
    if not files:
        roots = [pathlib.Path(np.__file__).parents[1], pathlib.Path(json.__file__).parents[1]]
        found = [p for r in roots for p in r.rglob("*") if p.is_file() and 64 < p.stat().st_size < 1 << 22]
        kinds = {}
        for p in sorted(found):
            kinds.setdefault(p.suffix, []).append(p)
        files.extend(sorted(kinds.items()))
    _, paths = files[rng.integers(len(files))]
    content = paths[rng.integers(len(paths))].read_bytes()
    ids = np.full(2048, 256, np.int32)
    head, tail = content[:4096].lstrip()[:1024], content[-4096:].rstrip()[-1024:]
    ids[: len(head)] = list(head)
    ids[2048 - len(tail) :] = list(tail)
    return {"bytes": ids[None]}


def captcha(rng, width, height, count, letters="0123456789abcdefghijklmnopqrstuvwxyz"):
    """A picture of letters, turned and crossed by lines, and with noise: RGB."""
    picture = Image.new("RGB", (width, height), tuple(rng.integers(200, 256, 3)))
    for i in range(count):
        glyph = Image.new("L", (height, height))
        letter = letters[rng.integers(len(letters))]
        ImageDraw.Draw(glyph).text((height // 4, height // 8), letter, 255, ImageFont.load_default(int(height * 0.7)))
        glyph = glyph.rotate(rng.uniform(-20, 20))
        picture.paste(tuple(int(c) for c in rng.integers(0, 130, 3)), (int(width * (i + 0.1) / count), 0), glyph)
    draw = ImageDraw.Draw(picture)
    for _ in range(3):
        ends = [(int(rng.integers(width)), int(rng.integers(height))) for _ in range(2)]
        draw.line(ends, tuple(int(c) for c in rng.integers(0, 200, 3)))
    noisy = np.asarray(picture) + rng.normal(0, 8, (height, width, 3))
    return np.clip(noisy, 0, 255)


@model("captcha letters (ddddocr)", "ddddocr/common.onnx", "387", 12, 10)
def _(rng, _path):
    count = int(rng.integers(4, 7))
    return {"input1": (captcha(rng, 30 * count, 64, count).mean(2)[None, None] / 127.5 - 1).astype(np.float32)}


@model("captcha boxes (ddddocr)", "ddddocr/common_det.onnx", None, 6, 4)
def _(rng, _path):
    return {"images": captcha(rng, 416, 416, 4).transpose(2, 0, 1)[None].astype(np.float32)}


@model("captcha digits (vietcombank)", "vietcombank_captcha/models/vietcombank_captcha.onnx", "digit_0", 32, 60)
def _(rng, _path):
    return {"input": (captcha(rng, 155, 50, 5, "0123456789")[None] / 255).astype(np.float32)}


def text_line(rng, width, height):
    words = "the quick brown fox 2026 INVOICE total: 1,204.50 EUR page date harbour 7 signed by".split()
    text = " ".join(words[i] for i in rng.integers(len(words), size=int(width / height) // 2 + 1))
    picture = Image.new("RGB", (width, height), tuple(int(c) for c in rng.integers(180, 256, 3)))
    colour = tuple(int(c) for c in rng.integers(0, 90, 3))
    ImageDraw.Draw(picture).text((4, height // 8), text, colour, ImageFont.load_default(int(height * 0.6)))
    return picture


@model("text lines (rapidocr)", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", "softmax_11.tmp_0", 10, 8)
def _(rng, _path):
    x = np.asarray(text_line(rng, 320, 48)) / 127.5 - 1
    return {"x": x.transpose(2, 0, 1)[None].astype(np.float32)}


@model(
    "text direction (rapidocr)",
    "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "save_infer_model/scale_0.tmp_1",
)
def _(rng, _path):
    line = text_line(rng, 192, 48)
    x = np.asarray(line.rotate(180) if rng.random() < 0.5 else line) / 127.5 - 1
    return {"x": x.transpose(2, 0, 1)[None].astype(np.float32)}


@model("text places (rapidocr)", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", None, 6, 5)
def _(rng, _path):
    page = Image.new("RGB", (320, 320), (240, 238, 230))
    for _ in range(6):
        height = int(rng.integers(16, 40))
        page.paste(
            text_line(rng, int(rng.integers(100, 300)), height), (int(rng.integers(100)), int(rng.integers(280)))
        )
    x = (np.asarray(page) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    return {"x": x.transpose(2, 0, 1)[None].astype(np.float32)}


@model("voice activity (silero)", "silero_vad/data/silero_vad_openvino_16k.onnx", None, 64, 64)
def _(rng, path):
    """A window of 576 samples with the state that the windows before it left."""
    session = ort.InferenceSession(path)
    sound = 3 * chirp(rng, 512 * 24 + 64)
    state = np.zeros((2, 1, 128), np.float32)
    for i in range(rng.integers(1, 24)):
        feeds = {"input": sound[:, 512 * i : 512 * i + 576], "state": state}
        state = session.run(["stateN"], feeds)[0]
    return feeds


@model("music to notes (basic-pitch)", "basic_pitch/saved_models/icassp_2022/nmp.onnx", None, 6, 4)
def _(rng, _path):
    """Two seconds of plucked chords."""
    rate, total = 22050, 43844
    sound, t = np.zeros(total), np.arange(total) / rate
    for _ in range(rng.integers(4, 12)):
        start, pitch = rng.random() * 1.6, 110 * 2 ** (rng.integers(36) / 12)
        after = np.maximum(t - start, 0)
        sound += (t > start) * np.exp(-4 * after) * sum(np.sin(2 * np.pi * k * pitch * after) / k for k in range(1, 7))
    sound = 0.2 * sound + 0.001 * rng.normal(size=total)
    return {"serving_default_input_2:0": sound[None, :, None].astype(np.float32)}


@model("pitch (swift-f0)", "swift_f0/model.onnx")
def _(rng, _path):
    return {"audio": 2 * chirp(rng, 16000), "fmin": np.array(46.875, np.float32), "fmax": np.array(2093.75, np.float32)}


@model("speech quality (speechmos)", "speechmos/dnsmos_models/sig_bak_ovr.onnx", None, 4, 4)
def _(rng, _path):
    sound = 3 * chirp(rng, 144160) + 10 ** -rng.uniform(1, 4) * rng.normal(size=(1, 144160))
    return {"input_1": sound.astype(np.float32)}


@model("packet loss quality (speechmos)", "speechmos/plcmos_models/plcmos_v2.onnx", None, 12, 8)
def _(rng, _path):
    """Log power of 4 seconds with gaps."""
    sound = 3 * chirp(rng, 64000)[0]
    for start in rng.integers(60000, size=rng.integers(0, 12)):
        sound[start : start + 320] = 0
    windows = np.lib.stride_tricks.sliding_window_view(sound, 512)[::256] * np.hanning(512)
    log = np.log(np.maximum(np.abs(np.fft.rfft(windows)) ** 2, 1e-12))
    return {
        "degraded_audio": log[None, None].astype(np.float32),
        "rater_embed": rng.normal(size=(1, 64)).astype(np.float32),
    }


@model("morphemes (slovorez)", "slovorez/models/slovorez-test/slovorez-test.onnx", "output_0", 64, 100)
def _(rng, path, words=[]):
    """Russian words, as letters."""
    if not words:
        words.extend(sorted(json.loads(pathlib.Path(path).with_name("base_dict.json").read_text())))
    letters = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя-"
    ids = [letters.find(c) + 2 for c in words[rng.integers(len(words))] if c in letters] or [2]
    return {"input_layer": np.array([ids], np.int32)}


NAMES = "arabic_name_romanizer/resources/"


def arabic_name(rng, path):
    vocabulary = json.loads(pathlib.Path(path).with_name("vocab.json").read_text())["tokens"]
    letters = [i for i, token in enumerate(vocabulary) if "\u0621" <= token[:1] <= "\u064a"]
    ids = np.array([[vocabulary.index("<EG>"), *rng.choice(letters, rng.integers(3, 12))]], np.int64)
    return {"src": ids, "src_mask": np.ones(ids.shape, bool)}


@model("names, encoder (arabic-name-romanizer)", NAMES + "encoder.onnx", None, 64, 100)
def _(rng, path):
    return arabic_name(rng, path)


@model("names, decoder (arabic-name-romanizer)", NAMES + "decoder.onnx", "logprobs", 64, 100)
def _(rng, path):
    """What the encoder made of a name, and the letters that the decoder itself wrote so far."""
    encoder, decoder = (
        ort.InferenceSession(str(pathlib.Path(path).with_name(f"{n}.onnx"))) for n in ("encoder", "decoder")
    )
    name = arabic_name(rng, path)
    memory, mask, hidden = encoder.run(
        None, {k: v for k, v in name.items() if k in {i.name for i in encoder.get_inputs()}}
    )
    feeds = {"prefix": np.array([[1]], np.int64), "memory": memory, "src_mask": mask.astype(bool), "hidden": hidden}
    for _ in range(rng.integers(1, 8)):
        scores, state = decoder.run(None, feeds)
        last = dict(feeds)
        feeds |= {"prefix": np.append(feeds["prefix"], [[scores[0].argmax()]], 1), "hidden": state}
    return last


def eeg(rng, samples, rate=250):
    """1/f noise with an alpha rhythm and bursts of 12..15 Hz."""
    spectrum = rng.normal(size=samples // 2 + 1) + 1j * rng.normal(size=samples // 2 + 1)
    x = np.fft.irfft(spectrum / np.sqrt(1 + np.arange(samples // 2 + 1)), samples)
    t, x = np.arange(samples) / rate, x / x.std()
    x = x + 0.5 * np.sin(2 * np.pi * 10 * t + 6 * rng.random())
    for start in rng.random(rng.integers(0, 5)) * t[-1]:
        x += 2 * np.exp(-(((t - start) / 0.4) ** 2)) * np.sin(2 * np.pi * rng.uniform(12, 15) * t)
    return (x - x.mean()) / x.std()


@model("seizures in EEG (brainmaze)", "brainmaze_eeg_models/seizure/_models/modelA_paper.onnx", "probs", 8, 8)
def _(rng, _path):
    windows = np.lib.stride_tricks.sliding_window_view(eeg(rng, 250 * 120), 250)[::125]
    power = np.log(np.abs(np.fft.rfft(windows * np.hanning(250)))[:, :100] ** 2 + 1e-6).T
    power = (power - power.mean(1, keepdims=True)) / power.std(1, keepdims=True)
    return {"x": power[None].astype(np.float32)}


@model("spindles in EEG (brainmaze)", "brainmaze_eeg_models/spindles/_models/spindle-detector-eeg.onnx", None, 5, 4)
def _(rng, _path):
    signal = eeg(rng, 7500)
    spectrum, hertz = np.fft.fft(signal), np.fft.fftfreq(7500, 1 / 250)
    bands = [
        np.abs(np.fft.ifft(spectrum * 2 * np.exp(-(((hertz - c) / 1.5) ** 2)) * (hertz > 0)))
        for c in np.linspace(4, 18, 15)
    ]
    bands = (np.array(bands) - np.mean(bands, 1, keepdims=True)) / np.std(bands, 1, keepdims=True)
    return {"raw_signal": signal[None, None].astype(np.float32), "spectrogram": bands[None].astype(np.float32)}


# Measuring ----------------------------------------------------------------------------------------------------------


def build(name, packages, root):
    """A case of measure.py; (case, name of the output with classes)."""
    path, draw, classes, calibration, evaluation = ZOO[name]
    folder = root / re.sub(r"\W+", "_", name).strip("_")
    if not (folder / "about.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(packages / path, folder / "model.onnx")
        for part, count, seed in (("data", calibration, 11), ("eval", evaluation, 12)):
            (folder / part).mkdir()
            for i in range(count):
                np.savez(
                    folder / part / f"s{i:03d}.npz", **draw(np.random.default_rng([seed, i]), str(packages / path))
                )
        (folder / "about.json").write_text(json.dumps({"exporter": path.split("/")[0]}))
    return dataclasses.replace(measure.cases_in(folder)[0], name=name), classes


def classes_of(path, output, samples):
    """The classes of an output at all its places, an array a sample; integers are classes already."""
    runner = measure.session(path, 99)
    results = [runner.run([output], measure.fit(s, runner))[0] for s in samples]
    return [r.argmax(-1) if r.dtype.kind == "f" else r for r in results]


def agreement(wanted, got):
    """Percent of places of the same class."""
    same = sum(np.sum(w == g) if w.shape == g.shape else 0 for w, g in zip(wanted, got))
    return 100 * float(same) / sum(w.size for w in wanted)


class Reader:
    """Feeds onnxruntime's calibration."""

    def __init__(self, samples):
        self.left = list(samples)

    def get_next(self):
        return self.left.pop(0) if self.left else None


def peer(case, work, kind):
    """onnxruntime's own tool, as its documentation tells: preprocess, then Q/DQ per channel, or dynamic."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quant_pre_process,
        quantize_dynamic,
        quantize_static,
    )

    CalibrationDataReader.register(Reader)
    out, prepared = work / f"onnxruntime_{kind}.onnx", work / "prepared.onnx"
    source, float_model = case.model, onnx.load(case.model)
    if next(o.version for o in float_model.opset_import if o.domain == "") < 13:  # scales per channel need opset 13
        source = work / "raised.onnx"
        onnx.save(onnx.version_converter.convert_version(float_model, 17), source)
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    if kind == "static":
        reader = Reader(measure.feeds(case, case.data))
        quantize_static(
            str(prepared),
            str(out),
            reader,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    else:
        quantize_dynamic(str(prepared), str(out), weight_type=QuantType.QUInt8, per_channel=True)
    return out


def measure_peer(case, work, kind, samples, reference, float_ms):
    try:
        out = peer(case, work, kind)
        runner = measure.session(out, 99)
        return {
            "default": measure.sqnr(reference, measure.run(runner, samples))[1],
            "path": str(out),
            "size_ratio": out.stat().st_size / case.model.stat().st_size,
            "time_ratio": measure.timed(runner, samples[0]) / float_ms,
        }
    except Exception as e:
        return {"error": f"{type(e).__name__}: {str(e).splitlines()[0][:150] if str(e) else ''}"}


def judge(result):
    """Rules of the zoo beside those of measure.py: the default against the best of its forms."""
    short = [
        s
        for s in result["short"]
        if s.split(": ")[1] in ("crash", "refused", "load", "levels", "evaluate", "size", "says", "speed", "misfit")
    ]
    forms = {f: r for f, r in result["forms"].items() if r.get("default") is not None or "agreement" in r}
    ours = forms.get("qdq")
    if ours:
        words = ours["stdout"] + ours["stderr"]
        unit = "agreement" if "agreement" in ours else "default"
        best = max(forms, key=lambda f: forms[f][unit])
        hint = re.search(rf"--format {best}|--contrib|--keep-float|--exclude", words)
        if forms[best][unit] - ours[unit] > 1 and not hint:
            short.append(f"qdq: best form: {ours[unit]:.1f}, {best} has {forms[best][unit]:.1f} ({unit}), no hint")
        for kind, theirs in result["peers"].items():
            if kind == "static" and unit in theirs and theirs[unit] - ours[unit] > 1:
                short.append(f"qdq: peer: {ours[unit]:.1f}, onnxruntime's tool {theirs[unit]:.1f} ({unit})")
    return short


def table(results):
    lines = [
        "SQNR in dB under onnxruntime by default, agreement of classes, size and time as parts of the float model's.\n",
        "| model | float | "
        + " | ".join([*measure.FORMS, "onnxruntime static", "onnxruntime dynamic"])
        + " | fell short of |",
        "|---" * (len(measure.FORMS) + 5) + "|",
    ]
    for r in results:
        cells = []
        for f in [*r["forms"].values(), r["peers"]["static"], r["peers"]["dynamic"]]:
            if "time_ratio" not in f:
                cells.append(f.get("error", f.get("onnxruntime", f"exit {f.get('exit')}"))[:40])
                continue
            agrees = f" {f['agreement']:.1f} %," if "agreement" in f else ""
            decibel = "" if f["default"] is None else f"{f['default']:.1f} dB,"
            cells.append(f"{decibel}{agrees} {f['size_ratio']:.2f}, {f['time_ratio']:.2f}")
        rules = "; ".join(sorted({" ".join(s.split(": ")[:2]) for s in r["short"]}))
        lines.append(
            f"| {r['name']} | {r['bytes'] / 1e6:.1f} MB, {r['float_ms']:.2f} ms | "
            + " | ".join(cells)
            + f" | {rules} |"
        )
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--packages", required=True, type=pathlib.Path, help="folder of the unpacked packages")
    p.add_argument("--intaglio", default="build/release/intaglio", type=measure.program, help="the program")
    p.add_argument("--out", default="build/zoo", type=pathlib.Path, help="folder of results and table")
    p.add_argument(
        "--only", default="", metavar="PATTERN", help="only models whose name matches this regular expression"
    )
    p.add_argument("--no-peer", action="store_true", help="without onnxruntime's own tool; its earlier figures stay")
    p.add_argument("--resume", action="store_true", help="keep the results that are there already")
    o = p.parse_args()
    logging.disable(logging.CRITICAL)
    o.out.mkdir(parents=True, exist_ok=True)
    path = o.out / "zoo.json"
    results = {r["name"]: r for r in json.loads(path.read_text())} if path.exists() else {}
    for name in sorted(ZOO, key=lambda n: (o.packages / ZOO[n][0]).stat().st_size):
        if not re.search(o.only, name) or (o.resume and name in results):
            continue
        try:
            case, classes = build(name, o.packages, o.out / "models")
            work = o.out / "forms" / case.model.parent.name
            result = measure.measure(o.intaglio, case, work)
            samples = measure.feeds(case, case.eval)
            reference = measure.run(measure.session(case.model, None), samples)
            result["peers"] = results.get(name, {}).get("peers") if o.no_peer else None
            if not result["peers"]:
                result["peers"] = {
                    k: measure_peer(case, work, k, samples, reference, result["float_ms"])
                    for k in ("static", "dynamic")
                }
            if classes:
                wanted = classes_of(case.model, classes, samples)
                for form, figures in [*result["forms"].items(), *result["peers"].items()]:
                    if "time_ratio" in figures:
                        figures["agreement"] = agreement(
                            wanted, classes_of(figures.get("path", work / f"{form}.onnx"), classes, samples)
                        )
            result["short"] = judge(result)
        except Exception as e:
            print(f"{name}: not measured: {type(e).__name__}: {e}", file=sys.stderr)
            continue
        results[name] = result
        print(name, *(result["short"] or ["ok"]), sep="\n  ", flush=True)
        path.write_text(json.dumps(list(results.values()), indent=1))
        (o.out / "zoo.md").write_text(table(results.values()))


main()
