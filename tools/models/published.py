# SPDX-License-Identifier: MIT
"""What is published about the networks: counts, their sources, and why ours differ."""

# Whose figures have been compared with the source, or with a copy of it
CHECKED = {
    "torchvision": "torchvision's classification weights, their num_params and _ops",
    "OMZ": "Open Model Zoo, specifications of googlenet-v4-tf, inceptionv3-int8-sparse-v1-tf-0001 and ssd300 (docs.openvino.ai); "
           "its GFLOPs are two to a MAC",
    "YOLOv3": "the authors' network as their own program counts it: 65.86 billion operations at 416 x 416, two to a MAC "
              "(pjreddie.com/darknet/yolo)",
    "formula": "closed form, no published count",
}
UNCHECKED = {
    "Sze": "V. Sze et al., Efficient Processing of Deep Neural Networks, Proc. IEEE 105(12), 2017, table II",
    "timm": "timm's table of benchmark results (activations)",
    "pycls": "I. Radosavovic et al., Designing Network Design Spaces, CVPR 2020, and its model zoo (activations)",
    "MobileNet": "A. Howard et al., MobileNets, 2017, table 8",
    "ShuffleNet": "X. Zhang et al., CVPR 2018, table 2 (1x)",
    "Merity": "S. Merity et al., Pointer Sentinel Mixture Models, 2016, table 2 (medium LSTM)",
    "BERT": "Z. Sun et al., MobileBERT, ACL 2020, table 1 (22.5 billion operations at length 128, two to a MAC)",
}

# name: {count: (value, source)}; parameters, MACs, elements of the convolutions' outputs
COUNTS = {
    "alexnet": {"parameters": (61e6, "Sze"), "macs": (724e6, "Sze")},
    "vgg16": {"parameters": (138_357_544, "torchvision"), "macs": (15.47e9, "torchvision"),
              "convolution_outputs": (13.56e6, "timm")},
    "googlenet": {"parameters": (7e6, "Sze"), "macs": (1.43e9, "Sze")},
    "inception_v3": {"parameters": (23.819e6, "OMZ"), "macs": (11.469e9 / 2, "OMZ"), "convolution_outputs": (8.97e6, "timm")},
    "inception_v4": {"parameters": (42.648e6, "OMZ"), "macs": (24.584e9 / 2, "OMZ"), "convolution_outputs": (15.09e6, "timm")},
    "resnet50": {"parameters": (25_557_032, "torchvision"), "macs": (4.09e9, "torchvision"),
                 "convolution_outputs": (11.1e6, "pycls")},
    "ssd300": {"parameters": (26.285e6, "OMZ"), "macs": (62.815e9 / 2, "OMZ")},
    "resnext50": {"parameters": (25_028_904, "torchvision"), "macs": (4.23e9, "torchvision"),
                  "convolution_outputs": (14.4e6, "pycls")},
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
    "ssd300": "For the 21 classes of PASCAL VOC. Ours has the 8,732 default boxes as constants, too.",
    "yolov3": "Parameters: those of 75 convolutions, with scale and shift of 72 normalisations.",
    "ptb_lstm_operator": "As `ptb_lstm`, with ONNX's LSTM operator: it has two biases where the cell has one.",
}
