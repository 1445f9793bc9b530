"""Runs a .bmodel in tpu-mlir's simulator: simulate_sophgo.py MODEL IN.npz OUT.npy, with images as the rows of `x`.

Under the Python that tpu-mlir is installed for. Importing it says where its libraries are; a process that begins then finds them.
"""

import os
import subprocess
import sys

import tpu_mlir  # noqa: F401

if "INTAGLIO_SIMULATOR" not in os.environ:
    sys.exit(subprocess.run([sys.executable, *sys.argv], env=os.environ | {"INTAGLIO_SIMULATOR": "1"}).returncode)

import numpy as np

sys.path[:0] = [f"{os.environ['TPUC_ROOT']}/python"]
from tools.model_runner import model_inference

model, images, output = sys.argv[1:]
rows = []
for x in np.load(images)["x"]:
    rows.append(next(iter(model_inference({"x": x[None]}, model, dump_all=False).values())).reshape(-1))
np.save(output, np.stack(rows))
