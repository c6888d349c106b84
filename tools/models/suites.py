# SPDX-License-Identifier: MIT
"""The networks and the suites of them: the one place that says what is in which."""
import importlib

# name: (title, module that makes it, function in it, its arguments)
NETWORKS = {
    "alexnet": ("AlexNet", "light", "load", ("bvlc_alexnet",)),
    "vgg16": ("VGG-16", "vgg", "vgg16", ()),
    "googlenet": ("GoogLeNet", "light", "load", ("inception_v1",)),
    "inception_v3": ("Inception-v3", "inception", "inception_v3", ()),
    "inception_v4": ("Inception-v4", "inception", "inception_v4", ()),
    "resnet50": ("ResNet-50", "light", "load", ("resnet50",)),
    "ssd300": ("SSD300", "ssd", "ssd300", ()),
    "resnext50": ("ResNeXt-50", "residual", "resnext50", ()),
    "mobilenet": ("MobileNet", "residual", "mobilenet", ()),
    "squeezenet": ("SqueezeNet", "light", "load", ("squeezenet",)),
    "ptb_lstm": ("PTB-LSTM", "lstm", "ptb_lstm", ()),
    "mha": ("MHA", "transformer", "mha", ()),
    "densenet121": ("DenseNet-121", "light", "load", ("densenet121",)),
    "shufflenet": ("ShuffleNet", "light", "load", ("shufflenet",)),
    "yolov3": ("YOLOv3", "yolo", "yolov3", ()),
    "bert_base": ("BERT-base", "transformer", "bert_base", ()),
    "ptb_lstm_operator": ("PTB-LSTM (operator)", "lstm", "ptb_lstm_operator", ()),
    "ssd300_resnet34": ("SSD300 on ResNet-34", "ssd", "ssd300", ("resnet34",)),
    "resnext50_paths": ("ResNeXt-50 as 32 paths", "residual", "resnext50_paths", ()),
    "squeezenet10": ("SqueezeNet 1.0", "squeeze", "squeezenet10", ()),
    "squeezenet10_bypass": ("SqueezeNet 1.0 with bypass", "squeeze", "squeezenet10", (True,)),
    "mha_8": ("MHA of 8 words", "transformer", "mha", (8,)),
    "mha_1024": ("MHA of 1024 words", "transformer", "mha", (1024,)),
}

# onsram12: those of the paper.  all: with another form of a network, too.  quick: those of
# them that take little time and together have every operator.  variants: what the paper may have
# measured under the names of some, to be planned for.
SUITES = {
    "onsram12": list(NETWORKS)[:12],
    "onsram16": list(NETWORKS)[:16],
    "all": list(NETWORKS)[:17],
    "variants": list(NETWORKS)[17:],
    "quick": ["googlenet", "resnext50", "mobilenet", "squeezenet", "ptb_lstm", "mha", "densenet121", "shufflenet"],
}


def make(name):
    """The network NAME as its module gives it."""
    _, module, function, arguments = NETWORKS[name]
    return getattr(importlib.import_module(module), function)(*arguments)
