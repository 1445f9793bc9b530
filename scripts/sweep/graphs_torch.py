"""Modules written for torch, through its new exporter (dynamo) and the old one (legacy)."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from common import chirp, graph, image, padding, series, tokens
from exporting import export


def both(name, **options):
    """Registers a function that makes (module, draw) for both exporters."""

    def register(make):
        for exporter in ("dynamo", "legacy"):

            @graph(f"torch_{name}_{exporter}", f"torch {exporter}")
            def _(folder, exporter=exporter):
                torch.manual_seed(1)
                module, draw = make()
                return export(folder, module, draw, exporter, **options)

        return make

    return register


def pictures(size=32, channels=3, name="x"):
    return lambda rng: {name: image(rng, channels, size, size)}


def frames(length=32, channels=48):
    return lambda rng: {"x": series(rng, length, channels)}


class Encoder(nn.Module):
    """nn.TransformerEncoder over tokens, causal or with a padding mask."""

    def __init__(self, causal):
        super().__init__()
        self.embed = nn.Embedding(300, 64)
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, activation="gelu", norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(64, 20)
        self.causal = causal

    def forward(self, ids, mask=None):
        x = self.embed(ids)
        if self.causal:
            ahead = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
            return self.head(self.layers(x, mask=ahead, is_causal=True))
        return self.head(self.layers(x, src_key_padding_mask=mask == 0))


@both("encoder_causal", dynamic=[("ids", 1)])
def _():
    return Encoder(True), lambda r: {"ids": tokens(r, 24, 300)}


@both("encoder_padded", dynamic=[("ids", 1), ("mask", 1)])
def _():
    return Encoder(False), lambda r: {"ids": tokens(r, 24, 300), "mask": padding(r, 24)}


class Sdpa(nn.Module):
    """scaled_dot_product_attention, causal, and with a mask made of the input."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(64) for _ in range(2))
        self.qkv = nn.ModuleList(nn.Linear(64, 192) for _ in range(2))
        self.out = nn.ModuleList(nn.Linear(64, 64) for _ in range(2))

    def forward(self, x, keep):
        for i, (norm, qkv, out) in enumerate(zip(self.norms, self.qkv, self.out)):
            q, k, v = (a.unflatten(2, (4, 16)).transpose(1, 2) for a in qkv(norm(x)).chunk(3, -1))
            mask = dict(is_causal=True) if i == 0 else dict(attn_mask=(keep > 0)[:, None, None])
            x = x + out(F.scaled_dot_product_attention(q, k, v, **mask).transpose(1, 2).flatten(2))
        return x


@both("sdpa", dynamic=[("x", 1), ("keep", 1)])
def _():
    return Sdpa(), lambda r: {"x": series(r, 24, 64), "keep": padding(r, 24)}


class Decoder(nn.Module):
    """nn.TransformerDecoder: causal self attention and attention to a padded memory."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerDecoderLayer(64, 4, 128, batch_first=True)
        self.layers = nn.TransformerDecoder(layer, 2)
        self.embed, self.head = nn.Embedding(300, 64), nn.Linear(64, 300)

    def forward(self, ids, memory, mask):
        ahead = torch.full((16, 16), float("-inf")).triu(1)
        y = self.layers(self.embed(ids), memory, tgt_mask=ahead, tgt_is_causal=True, memory_key_padding_mask=mask == 0)
        return self.head(y)


@both("decoder", opset=20)
def _():
    return Decoder(), lambda r: {"ids": tokens(r, 16, 300), "memory": series(r, 24, 64), "mask": padding(r, 24)}


class ConvNext(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.blocks = nn.ModuleList()
        for _ in range(3):
            parts = [
                nn.Conv2d(width, width, 7, padding=3, groups=width),
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width),
                nn.Linear(4 * width, width),
            ]
            self.blocks.append(nn.ModuleList(parts))
        self.gamma, self.head = nn.Parameter(0.5 * torch.rand(width)), nn.Linear(width, 20)

    def forward(self, x):
        x = self.stem(x)
        for conv, norm, up, down in self.blocks:
            y = norm(conv(x).permute(0, 2, 3, 1))
            x = x + (self.gamma * down(F.gelu(up(y)))).permute(0, 3, 1, 2)
        return self.head(x.mean((2, 3)))


both("convnext")(lambda: (ConvNext(), pictures(48)))


class Unet(nn.Module):
    """Bilinear upsampling, GroupNorm and SiLU."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(8, o), nn.SiLU())
        self.down = nn.ModuleList([block(3, 16), block(16, 32), block(32, 64)])
        self.up = nn.ModuleList([block(96, 32), block(48, 16)])
        self.last = nn.Conv2d(16, 3, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x if not skips else F.avg_pool2d(x, 2))
            skips.append(x)
        for block, skip in zip(self.up, skips[-2::-1]):
            x = block(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), skip], 1))
        return self.last(x)


both("unet_groupnorm")(lambda: (Unet(), pictures(32)))


class UnetBatchNorm(nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        self.a, self.b, self.c = block(3, 16), block(16, 32), block(32, 64)
        self.up1, self.d, self.up2, self.e = (
            nn.ConvTranspose2d(64, 32, 2, 2),
            block(64, 32),
            nn.ConvTranspose2d(32, 16, 2, 2),
            block(32, 16),
        )
        self.last = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.max_pool2d(b, 2))
        d = self.d(torch.cat([self.up1(c), b], 1))
        return self.last(self.e(torch.cat([self.up2(d), a], 1)))


both("unet_batchnorm")(lambda: (UnetBatchNorm(), pictures(64)))


class YoloNeck(nn.Module):
    """CSP blocks of SiLU convolutions, SPPF, a neck up and down, decoupled heads."""

    def __init__(self):
        super().__init__()
        conv = lambda i, o, k=3, s=1: nn.Sequential(
            nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o), nn.SiLU()
        )
        self.p2, self.p3, self.p4, self.p5 = (
            conv(3, 16, 3, 2),
            conv(16, 32, 3, 2),
            conv(32, 64, 3, 2),
            conv(64, 64, 3, 2),
        )
        self.spp, self.lat4, self.f4, self.lat3, self.f3 = (
            conv(256, 64, 1),
            conv(128, 64, 1),
            conv(64, 32),
            conv(64, 32, 1),
            conv(32, 32),
        )
        self.down, self.n4 = conv(32, 32, 3, 2), conv(64, 64)
        self.heads = nn.ModuleList(nn.Conv2d(w, 4 + 10, 1) for w in (32, 64, 64))

    def forward(self, x):
        p3 = self.p3(self.p2(x))
        p4 = self.p4(p3)
        p5 = self.p5(p4)
        pools = [p5]
        for _ in range(3):
            pools.append(F.max_pool2d(pools[-1], 5, 1, 2))
        p5 = self.spp(torch.cat(pools, 1))
        f4 = self.f4(self.lat4(torch.cat([F.interpolate(p5, scale_factor=2), p4], 1)))
        f3 = self.f3(self.lat3(torch.cat([F.interpolate(f4, scale_factor=2), p3], 1)))
        n4 = self.n4(torch.cat([self.down(f3), f4], 1))
        y = torch.cat([h(f).flatten(2) for h, f in zip(self.heads, (f3, n4, p5))], 2)
        box, score = y.split((4, 10), 1)
        return torch.cat([box.sigmoid() * 64, score.sigmoid()], 1)


both("yolo_neck")(lambda: (YoloNeck(), pictures(64)))


class Conformer(nn.Module):
    """Half feed-forward, attention, GLU convolution with BatchNorm and Swish."""

    def __init__(self, width=64):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.ff = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)) for _ in range(2)
        )
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.up, self.depth, self.bn, self.down = (
            nn.Conv1d(width, 2 * width, 1),
            nn.Conv1d(width, width, 15, padding=7, groups=width),
            nn.BatchNorm1d(width),
            nn.Conv1d(width, width, 1),
        )
        self.first, self.head = nn.Linear(80, width), nn.Linear(width, 30)

    def forward(self, x):
        x = self.first(x)
        x = x + 0.5 * self.ff[0](self.norms[0](x))
        y = self.norms[1](x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        y = F.glu(self.up(self.norms[2](x).transpose(1, 2)), 1)
        x = x + self.down(F.silu(self.bn(self.depth(y)))).transpose(1, 2)
        return self.head(self.norms[3](x + 0.5 * self.ff[1](x))).log_softmax(-1)


both("conformer")(lambda: (Conformer(), frames(40, 80)))


class Recurrent(nn.Module):
    """Convolutions, an LSTM and a GRU with their states as inputs and outputs."""

    def __init__(self):
        super().__init__()
        self.conv, self.lstm, self.gru, self.head = (
            nn.Conv1d(48, 64, 3, padding=1),
            nn.LSTM(64, 64, batch_first=True),
            nn.GRU(64, 64, batch_first=True),
            nn.Linear(64, 12),
        )

    def forward(self, x, h, c, g):
        y = F.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        y, (h, c) = self.lstm(y, (h, c))
        y, g = self.gru(y, g)
        return self.head(y), h, c, g


@both("recurrent_states", outputs=["y", "hn", "cn", "gn"])
def _():
    zero = np.zeros((1, 1, 64), np.float32)
    return Recurrent(), lambda r: {"x": series(r, 16, 48), "h": zero, "c": zero, "g": zero}


class Wavenet(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.first = nn.Conv1d(1, width, 1)
        self.dilated = nn.ModuleList(nn.Conv1d(width, 2 * width, 2, dilation=2**i, padding=2**i) for i in range(5))
        self.skip = nn.ModuleList(nn.Conv1d(width, 2 * width, 1) for _ in range(5))
        self.last = nn.Sequential(nn.ReLU(), nn.Conv1d(width, 64, 1), nn.ReLU(), nn.Conv1d(64, 16, 1))

    def forward(self, audio):
        x, total = self.first(audio[:, None]), 0
        for dilated, skip in zip(self.dilated, self.skip):
            a, b = dilated(x)[..., : x.shape[-1]].chunk(2, 1)
            a, b = skip(torch.tanh(a) * torch.sigmoid(b)).chunk(2, 1)
            x, total = x + a, total + b
        return self.last(total)


both("wavenet")(lambda: (Wavenet(), lambda r: {"audio": 3 * chirp(r, 1024)}))


class Separable(nn.Module):
    """Inverted residuals with squeeze-and-excite and HardSwish."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.Hardswish())
        self.blocks = nn.ModuleList(self.block(24 if i else 16, 72, 24) for i in range(3))
        self.head = nn.Linear(24, 20)

    @staticmethod
    def block(i, m, o):
        layers = [
            nn.Conv2d(i, m, 1),
            nn.BatchNorm2d(m),
            nn.Hardswish(),
            nn.Conv2d(m, m, 5, 1, 2, groups=m),
            nn.BatchNorm2d(m),
            nn.Hardswish(),
        ]
        gate = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(m, 16, 1), nn.ReLU(), nn.Conv2d(16, m, 1), nn.Hardsigmoid()]
        return nn.ModuleList(
            [nn.Sequential(*layers), nn.Sequential(*gate), nn.Sequential(nn.Conv2d(m, o, 1), nn.BatchNorm2d(o))]
        )

    def forward(self, x):
        x = self.stem(x)
        for expand, gate, project in self.blocks:
            y = expand(x)
            y = project(y * gate(y))
            x = x + y if x.shape == y.shape else y
        return self.head(x.mean((2, 3)))


both("inverted_residuals")(lambda: (Separable(), pictures(48)))


class Autoencoder(nn.Module):
    """Strided convolutions, InstanceNorm, ConvTranspose, PixelShuffle, Tanh."""

    def __init__(self):
        super().__init__()
        conv = lambda i, o: nn.Sequential(
            nn.Conv2d(i, o, 3, 2, 1), nn.InstanceNorm2d(o, affine=True), nn.LeakyReLU(0.2)
        )
        self.encode = nn.Sequential(conv(3, 24), conv(24, 48))
        self.decode = nn.Sequential(
            nn.ConvTranspose2d(48, 24, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(24, 12, 3, padding=1),
            nn.PixelShuffle(2),
            nn.Tanh(),
        )

    def forward(self, x):
        return self.decode(self.encode(F.pad(x, (4, 4, 4, 4), mode="reflect")))


both("autoencoder")(lambda: (Autoencoder(), pictures(32)))


class SpatialTransformer(nn.Module):
    """A network that warps its input: affine grid and GridSample."""

    def __init__(self):
        super().__init__()
        self.where = nn.Sequential(nn.Conv2d(1, 16, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 14 * 14, 6))
        self.what = nn.Sequential(
            nn.Conv2d(1, 24, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(24, 32, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 13 * 13, 10),
        )

    def forward(self, x):
        theta = 0.1 * self.where(x).view(-1, 2, 3) + torch.eye(2, 3)
        grid = F.affine_grid(theta, [1, 1, 32, 32], align_corners=False)
        return self.what(F.grid_sample(x, grid, align_corners=False))


@graph("torch_spatial_transformer_dynamo", "torch dynamo")
def _(folder):
    torch.manual_seed(1)
    return export(folder, SpatialTransformer(), pictures(32, 1), "dynamo", opset=20)


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        layer = lambda i, o: nn.Sequential(nn.Conv1d(i, o, 1), nn.BatchNorm1d(o), nn.ReLU())
        self.local, self.whole = nn.Sequential(layer(3, 64), layer(64, 64)), layer(64, 128)
        self.head = nn.Sequential(layer(192, 64), nn.Conv1d(64, 6, 1))

    def forward(self, x):
        local = self.local(x.transpose(1, 2))
        whole = self.whole(local).amax(2, keepdim=True).expand(-1, -1, local.shape[2])
        return self.head(torch.cat([local, whole], 1))


both("pointnet")(lambda: (PointNet(), lambda r: {"x": series(r, 128, 3)}))


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 8, 8)
        self.norms = nn.ModuleList(nn.LayerNorm(64) for _ in range(5))
        self.mix = nn.ModuleList(
            nn.Sequential(nn.Linear(w, 128), nn.GELU(approximate="tanh"), nn.Linear(128, w)) for w in (36, 64, 36, 64)
        )
        self.head = nn.Linear(64, 20)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        for i, (norm, mix) in enumerate(zip(self.norms, self.mix)):
            y = norm(x)
            x = x + (mix(y.transpose(1, 2)).transpose(1, 2) if i % 2 == 0 else mix(y))
        return self.head(self.norms[4](x).mean(1))


both("mixer")(lambda: (Mixer(), pictures(48)))


class LogMel(nn.Module):
    """A log-mel front end by torch's own means, with a keyword network behind it."""

    def __init__(self):
        super().__init__()
        n = torch.arange(256)
        angles = 2 * torch.pi * torch.outer(torch.arange(129), n) / 256
        window = torch.hann_window(256)
        self.register_buffer("kernel", torch.cat([angles.cos(), -angles.sin()])[:, None] * window)
        bands = torch.relu(1 - (torch.arange(129)[:, None] - torch.linspace(3, 126, 40)).abs() / 3.2)
        self.register_buffer("bands", bands)
        self.net = nn.Sequential(
            nn.Conv1d(40, 64, 3, padding=1),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Conv1d(64, 64, 3, padding=1),
            nn.BatchNorm1d(64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 12)

    def forward(self, audio):
        re, im = F.conv1d(audio[:, None], self.kernel, stride=128).chunk(2, 1)
        power = (re**2 + im**2).transpose(1, 2)
        x = torch.log10(torch.clamp(power @ self.bands, min=1e-10))
        x = torch.maximum(x, x.max() - 8.0)
        return self.head(self.net(((x + 4) / 4).transpose(1, 2)).mean(2))


both("log_mel")(lambda: (LogMel(), lambda r: {"audio": chirp(r, 4096)}))
