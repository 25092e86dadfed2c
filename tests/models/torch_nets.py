"""Networks as people write them, for the torch reader."""

from __future__ import annotations

import sys

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  as everybody calls it
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

number = 3


def alexnet():
    """AlexNet as in 2012: no padding before its first layer."""
    features = nn.Sequential(
        nn.Conv2d(3, 8, 11, stride=4), nn.ReLU(inplace=True), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2),
        nn.Conv2d(8, 8, 5, padding=2, groups=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(8, 8, 3, padding=1), nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d((3, 3)),
    )  # fmt: skip
    return nn.Sequential(features, nn.Flatten(), nn.Dropout(), nn.Linear(72, 10))


class Block(nn.Module):
    """A residual block; its second branch is there where sizes change."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.down = nn.Conv2d(channels, out, 1, stride) if stride > 1 else None

    def forward(self, x):
        kept = x if self.down is None else self.down(x)
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)) + kept)


class ResNet(nn.Module):
    def __init__(self, width=8, *, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.layer1 = nn.Sequential(Block(width, width, 1), Block(width, width, 1))
        self.layer2 = nn.Sequential(Block(width, 2 * width, 2), Block(2 * width, 2 * width, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, x):
        x = self.pool(self.layer2(self.layer1(self.stem(x))))
        return self.fc(torch.flatten(x, 1))


class UNet(nn.Module):
    """Goes down twice and up again, by both ways of going up."""

    def __init__(self):
        super().__init__()
        self.enc1, self.enc2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 8, 3, padding="same", dilation=2)
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1)
        self.dec = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x):
        first = F.relu(self.enc1(x))
        down, indices = self.pool(first)
        second = F.relu(self.enc2(down))
        bottom = self.middle(F.avg_pool2d(second, 2))
        up = self.up(bottom, output_size=second.shape[2:])
        up = self.unpool(up, indices, output_size=first.shape)
        return self.dec(torch.cat([first, up], 1))


class Functional(nn.Module):
    """No layer of its own is a module."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 3, 5, 5))
        self.register_buffer("blur", torch.ones(6, 1, 3, 3))
        self.features = Inner()

    def forward(self, x):
        x = F.conv2d(x, self.weight, stride=2)
        x = torch.max_pool2d(F.relu(x), 3, 2, ceil_mode=True)
        x = torch.ops.aten.conv2d(x, self.blur, None, [1, 1], [1, 1], [1, 1], 6)
        x = torch.ops.aten.avg_pool2d.default(x, [2, 2])
        return self.features(self.features(x))


class Inner(nn.Module):
    def forward(self, x):
        return F.max_pool2d(x, kernel_size=3, stride=1, padding=1)


class Sound(nn.Module):
    """One axis, every kind of window on it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 10, stride=5)
        self.max = nn.MaxPool1d(3, 2, ceil_mode=True)
        self.average = nn.AvgPool1d(2)
        self.lp = nn.LPPool1d(2, 3, 2)
        self.up = nn.ConvTranspose1d(4, 2, 4, 2, 1)
        self.adaptive = nn.AdaptiveMaxPool1d(5)

    def forward(self, x):
        return self.adaptive(self.up(self.lp(self.average(self.max(self.conv(x))))))


class Padded(nn.Module):
    """Padding before windows, by every means."""

    def __init__(self):
        super().__init__()
        self.zero = nn.ZeroPad2d((0, 1, 0, 1))
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.reflect = nn.ReflectionPad2d(1)
        self.second = nn.Conv2d(4, 4, 3, stride=2)
        self.round = nn.Conv2d(4, 4, 3, stride=2, padding=1, padding_mode="circular")
        self.same = SameConv2d(4, 4, 3, stride=2)

    def forward(self, x):
        x = self.first(self.zero(x))
        x = self.second(F.relu(self.reflect(self.norm(x))))
        x = self.round(F.pad(x, (2, 0, 2, 0), mode="replicate"))
        return self.same(x)


class SameConv2d(nn.Conv2d):
    """Pads as TensorFlow does, by itself."""

    def forward(self, x):
        pads = []
        for length, kernel, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


def doubled():
    return nn.Sequential(nn.Conv2d(3, 4, 3)).double()


def normed():
    return nn.Sequential(weight_norm(nn.Conv2d(3, 4, 3)), spectral_norm(nn.Conv2d(4, 4, 3, 2)))


def scripted():
    inner = nn.Sequential(nn.Conv2d(4, 4, 3, 2, padding_mode="reflect", padding=1), nn.ReLU(), nn.AvgPool2d(2))
    return torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 5), nn.MaxPool2d(3, 2), inner))


def scripted_on_one_axis():
    return torch.jit.script(nn.Sequential(nn.Conv1d(2, 4, 4, padding="same"), nn.MaxPool1d(3, 2), nn.AvgPool1d(2)))


def compiled():
    return torch.compile(nn.Sequential(nn.Conv2d(3, 4, 3), torch.compile(nn.MaxPool2d(2))))


class Past(nn.Module):
    """Calls the forward of a layer past the layer, and a layer that it makes on the way."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return nn.MaxPool2d(2)(self.conv.forward(x))


class Patches(nn.Module):
    def forward(self, x):
        x = x.unfold(2, 4, 4).unfold(3, 4, 3)
        rows, columns = x.shape[2:4]
        blocks = x.permute(0, 1, 4, 5, 2, 3).reshape(1, -1, rows * columns)
        return F.fold(blocks, (4 * rows, 3 * columns + 1), 4, stride=(4, 3))


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.LazyConv2d(4, 3)

    def forward(self, x, mask=None):
        return self.conv(x) if mask is None else self.conv(x) * mask


class Caught(nn.Module):
    """Tries what cannot be, and goes on."""

    def __init__(self):
        super().__init__()
        self.large, self.small = nn.Conv2d(3, 4, 9), nn.Conv2d(3, 4, 3)

    def forward(self, x):
        try:
            return self.large(x)
        except RuntimeError:
            return F.max_pool2d(self.small(x), 2)


class Constants(nn.Module):
    """Looks at values, and at none of what is computed from the input; names a device that is not there."""

    def __init__(self):
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        self.size = torch.tensor(2)
        self.mean = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
        self.conv = nn.Conv2d(3, 4, 3, device="cuda").cuda()

    def forward(self, x):
        x = self.conv(x.to("cuda") - self.mean.cuda())
        kept = torch.zeros(x.shape, device="cuda")
        kept[:, :2] = x[:, :2]
        return F.max_pool2d(x + kept, int(self.size))


class Steps(nn.Module):
    """Looks at values that it makes on the way."""

    def forward(self, x):
        for step in torch.arange(1, 3).tolist():
            x = F.max_pool2d(x, 2, step)
        return x


class Value(nn.Module):
    """Its path depends on what it is given."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

    def forward(self, x):
        x = self.first(x)
        if x.sum() > 0:
            x = self.second(x)
        return x


def too_small():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(4), nn.Conv2d(4, 4, 5), nn.ReLU(), nn.Conv2d(4, 4, 1))


def wrong_channels(channels=4):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(channels, 4, 3), nn.MaxPool2d(2))


def wrong_padding():
    return nn.Sequential(nn.MaxPool2d(2, padding=2))


def wrong_size():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(7, 3))


def linear():
    return nn.Linear(4, 2)


def returns_a_number():
    return 3


def returns_a_function():
    return lambda x: F.max_pool2d(x, 2)


def convolved(x, y, *, stride=2):
    return F.conv1d(x, y, stride=stride)


def any_number(*tensors):
    return F.conv1d(*tensors)


def raises():
    raise ZeroDivisionError("this is where")


def leaves():
    sys.exit(3)


def recurses():
    return recurses()


def prints():
    print("printed by a factory")  # noqa: T201  to see where it goes
    return nn.Conv2d(3, 4, 3)


instance = nn.Sequential(nn.Conv2d(3, 4, 3))
