# SPDX-License-Identifier: MIT
"""What is published about the networks: counts, their sources, and why ours differ."""

UNCHECKED = """The figures and the places named here were entered without the sources at hand and have not been compared with them
since: check one before you rely on it."""

SOURCES = {
    "Sze": "V. Sze et al., Efficient Processing of Deep Neural Networks, Proc. IEEE 105(12), 2017, table II",
    "torchvision": "torchvision's table of classification and detection weights",
    "timm": "timm's table of benchmark results (parameters, multiply-accumulates, activations)",
    "ResNeXt": "S. Xie et al., CVPR 2017, table 1",
    "pycls": "I. Radosavovic et al., Designing Network Design Spaces, CVPR 2020, and its model zoo",
    "MobileNet": "A. Howard et al., MobileNets, 2017, table 8",
    "ShuffleNet": "X. Zhang et al., CVPR 2018, table 2 (1x)",
    "Merity": "S. Merity et al., Pointer Sentinel Mixture Models, 2016, table 2 (medium LSTM)",
    "YOLOv3": "the authors' network as their own program counts it: 65.86 billion operations at 416 x 416, two to a MAC",
    "BERT": "Z. Sun et al., MobileBERT, ACL 2020, table 1 (22.5 billion operations at length 128, two to a MAC)",
    "formula": "closed form, no published count",
}

# Of the 91 classes that torchvision's SSD300 tells apart, ours leaves out 70.
SSD_CLASS_WEIGHTS = 133_662
SSD_CLASS_MACS = 49_780_224

# name: {count: (value, source)}; parameters, MACs, elements of the convolutions' outputs
COUNTS = {
    "alexnet": {"parameters": (61e6, "Sze"), "macs": (724e6, "Sze")},
    "vgg16": {"parameters": (138_357_544, "torchvision"), "macs": (15.47e9, "torchvision"),
              "convolution_outputs": (13.56e6, "timm")},
    "googlenet": {"parameters": (7e6, "Sze"), "macs": (1.43e9, "Sze")},
    "inception_v3": {"parameters": (23.83e6, "timm"), "macs": (5.73e9, "timm"), "convolution_outputs": (8.97e6, "timm")},
    "inception_v4": {"parameters": (42.68e6, "timm"), "macs": (12.28e9, "timm"), "convolution_outputs": (15.09e6, "timm")},
    "resnet50": {"parameters": (25_557_032, "torchvision"), "macs": (4.09e9, "torchvision"),
                 "convolution_outputs": (11.1e6, "pycls")},
    "ssd300": {"parameters": (35_641_826 - 70 * SSD_CLASS_WEIGHTS, "torchvision"),
               "macs": (34.86e9 - 70 * SSD_CLASS_MACS, "torchvision")},
    "resnext50": {"parameters": (25.0e6, "ResNeXt"), "macs": (4.2e9, "ResNeXt"), "convolution_outputs": (14.4e6, "pycls")},
    "mobilenet": {"parameters": (4.2e6, "MobileNet"), "macs": (569e6, "MobileNet")},
    "squeezenet": {"parameters": (1_235_496, "torchvision"), "macs": (0.35e9, "torchvision")},
    "ptb_lstm": {"parameters": (20e6, "Merity"), "macs": (20 * (2 * 4 * 650 * 1300 + 650 * 10000), "formula")},
    "ptb_lstm_operator": {"parameters": (20e6, "Merity"), "macs": (20 * (2 * 4 * 650 * 1300 + 650 * 10000), "formula")},
    "mha": {"parameters": (6 * (4 * (512 * 512 + 512) + 2 * 512), "formula"),
            "macs": (6 * (4 * 128 * 512 * 512 + 2 * 128 * 128 * 512), "formula")},
    "densenet121": {"parameters": (7_978_856, "torchvision"), "macs": (2.83e9, "torchvision"),
                    "convolution_outputs": (6.90e6, "timm")},
    "shufflenet": {"macs": (140e6, "ShuffleNet")},
    "yolov3": {"parameters": (61_949_149, "formula"), "macs": (65.86e9 / 2, "YOLOv3")},
    "bert_base": {"parameters": (109e6, "BERT"), "macs": (22.5e9 / 2, "BERT")},
}

# Why a count of ours is more than 2 % from the published one
DIFFERENCES = {
    ("alexnet", "macs"): "the shipped model takes images of 224 x 224, not 227 x 227: its convolutions give out 54, 26 "
                         "and 12 rows instead of 55, 27 and 13.",
    ("densenet121", "parameters"): "the shipped model has each normalisation as two layers, one with mean and variance and "
                                   "one with scale and shift, both with a pair of their own: six vectors of all 41,824 "
                                   "channels where the published count has two; without them it is the same to the digit.",
    ("shufflenet", "macs"): "the shipped model has 4 groups and stages of 136, 272 and 544 channels, half of the "
                            "paper's with 4 groups, but bottlenecks as wide as the stage instead of a quarter of it.",
}

NOTES = {
    "ssd300": "The published counts are for 91 classes; the 70 that ours does not tell apart are taken off, each with "
              "133,662 parameters and 49,780,224 MACs in the six heads. Ours has the 8,732 default boxes as constants, too.",
    "yolov3": "Parameters: those of 75 convolutions, with scale and shift of 72 normalisations.",
    "ptb_lstm_operator": "As `ptb_lstm`, with ONNX's LSTM operator: it has two biases where the cell has one.",
}
