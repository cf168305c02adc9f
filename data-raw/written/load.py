"""Loads what write.R wrote and compares predictions: python load.py FOLDER, in the environments of data-raw/fixtures.

Networks with "own" in their names open, or mean the same, in the Keras generation that they came from alone; "axis" marks those in
which Keras 3 forgets something when it reads HDF5 (see ?write_model), "hdf5" those that open from HDF5 alone. Networks of channels
first are opened alone: TensorFlow computes their convolutions on GPUs only.
"""
import glob
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import h5py
import numpy as np
import tensorflow as tf
from tensorflow import keras

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import deepg_layers

version = keras.__version__ if hasattr(keras, "__version__") else "2 in TensorFlow " + tf.__version__
generation = version[0]
failed = 0
compared = 0
worst = 0.0
for values in sorted(glob.glob(os.path.join(sys.argv[1], "*.values"))):
    name = values[:-len(".values")]
    words = os.path.basename(name)
    for kind in (".h5", ".keras"):
        if ("_own_" in words and generation != words[5]) or ("_axis_" in words and kind == ".h5" and generation == "3") or (
                "_hdf5_" in words and kind == ".keras"):
            continue
        with h5py.File(values) as file:
            inputs = [file[f"inputs/{k + 1}"][()].astype("float32") for k in range(len(file["inputs"]))]
            outputs = [file[f"outputs/{k + 1}"][()] for k in range(len(file["outputs"]))]
        try:
            with deepg_layers.scope():
                model = keras.models.load_model(name + kind, compile=False)
            if "channels_first" in words:
                continue
            found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
            found = found if isinstance(found, (list, tuple)) else [found]
            error = max(np.max(np.abs(np.asarray(a) - b)) / max(1, np.max(np.abs(b))) for a, b in zip(found, outputs))
        except Exception as problem:
            print("FAILED", words + kind, type(problem).__name__, str(problem).strip().split("\n")[0][:200])
            failed += 1
            continue
        compared += 1
        worst = max(worst, error)
        if not error < 1e-5:
            print("DIFFERS", words + kind, error)
            failed += 1
print(f"Keras {version}: {compared} files predict what nucleograd does, within {worst:.1e}; {failed} do not")
