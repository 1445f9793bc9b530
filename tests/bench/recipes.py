"""How images become the inputs of the models that are measured: options of `intaglio`."""

PREPROCESS = {
    "mobilenet_v2_1.0_224_dither": ["--preprocess", "tf"],
    "mobilenet_v1_0.5_224_bn": ["--preprocess", "tf"],
    "mobilenet_v1_0.25_224_autopad": ["--preprocess", "tf"],
    "mobilenet_v3_large_minimalistic_dither_unequalized": ["--preprocess", "tf"],
    "mcunet_144_dither": ["--preprocess", "tf", "--resize", "164"],
    "tiny_darknet": ["--preprocess", "unit"],
    "squeezenet1.1_fp32_from_fp16": ["--preprocess", "caffe"],
}
