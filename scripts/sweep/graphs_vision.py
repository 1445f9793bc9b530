"""Networks of torchvision at a small resolution."""

import torch
import torchvision.models as tv
from torch import nn

from common import graph, image
from exporting import export


def network(name, make, size=64, exporters=("dynamo", "legacy"), opset=18):
    for exporter in exporters:

        @graph(f"tv_{name}_{exporter}", f"torchvision, torch {exporter}")
        def _(folder, exporter=exporter):
            torch.manual_seed(1)
            return export(folder, make(), lambda rng: {"x": image(rng, 3, size, size)}, exporter, opset)


network("shufflenet_v2", lambda: tv.shufflenet_v2_x0_5(num_classes=20))
network("mobilenet_v2", lambda: tv.mobilenet_v2(num_classes=20, width_mult=0.35))
network("mobilenet_v3_small", lambda: tv.mobilenet_v3_small(num_classes=20, width_mult=0.5))
network("squeezenet", lambda: tv.squeezenet1_1(num_classes=20), exporters=("legacy",))
network("densenet", lambda: tv.DenseNet(growth_rate=8, block_config=(3, 3, 3), num_init_features=16, num_classes=20))
network("googlenet", lambda: tv.googlenet(num_classes=20, aux_logits=False, init_weights=False), exporters=("dynamo",))
network(
    "resnet_bottleneck",
    lambda: tv.ResNet(tv.resnet.Bottleneck, [1, 1, 1, 1], num_classes=20, width_per_group=16),
    exporters=("dynamo",),
)
network(
    "regnet",
    lambda: tv.RegNet(tv.regnet.BlockParams.from_init_params(6, 16, 24, 2.5, 8, se_ratio=0.25), num_classes=20),
)
network("mnasnet", lambda: tv.mnasnet0_5(num_classes=20), exporters=("legacy",))
network(
    "efficientnet",
    lambda: tv.EfficientNet(
        [
            tv.efficientnet.MBConvConfig(e, k, s, i, o, 1, 0.5, 0.5)
            for e, k, s, i, o in ((1, 3, 1, 32, 16), (6, 3, 2, 16, 24), (6, 5, 2, 24, 40))
        ],
        dropout=0.0,
        num_classes=20,
    ),
)
network(
    "convnext",
    lambda: tv.ConvNeXt(
        [
            tv.convnext.CNBlockConfig(24, 48, 1),
            tv.convnext.CNBlockConfig(48, 64, 2),
            tv.convnext.CNBlockConfig(64, None, 1),
        ],
        num_classes=20,
    ),
)
network("vit", lambda: tv.VisionTransformer(64, 16, 2, 4, 64, 128, num_classes=20))
network(
    "swin_v2", lambda: tv.SwinTransformer([4, 4], 32, [2, 2], [2, 4], [4, 4], num_classes=20), exporters=("dynamo",)
)
network("fcn_resnet", lambda: Segmentation())


class Segmentation(nn.Module):
    """A small backbone with an atrous pyramid (DeepLab), results at full size."""

    def __init__(self):
        super().__init__()
        backbone = tv.ResNet(tv.resnet.BasicBlock, [1, 1, 1, 1], num_classes=1)
        self.body = nn.Sequential(backbone.conv1, backbone.bn1, backbone.relu, backbone.layer1, backbone.layer2)
        self.head = tv.segmentation.deeplabv3.DeepLabHead(128, 8, (2, 4, 6))

    def forward(self, x):
        return nn.functional.interpolate(
            self.head(self.body(x)), size=x.shape[-2:], mode="bilinear", align_corners=False
        )
