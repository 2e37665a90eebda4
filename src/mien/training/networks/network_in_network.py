"""Network in Network: a classifier of small pictures without fully connected layers.

Lin, Chen, Yan, "Network In Network", ICLR 2014.
"""

from __future__ import annotations

from torch import Tensor, nn


class NetworkInNetwork(nn.Module):
    """Three "mlpconv" stages; the last one's maps, one for each output, are averaged over the picture.

    Parameters: 966,986 with 10 outputs, the authors' network for CIFAR-10.

    Args:
        dimension: number of outputs, the classes of a classifier.
        dropout: probability of dropping a value between stages.

    Example:
        >>> import torch
        >>> NetworkInNetwork(10).eval()(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 10])
    """

    def __init__(self, dimension: int = 10, dropout: float = 0.5) -> None:
        super().__init__()
        self.dimension = dimension
        self.layers = nn.Sequential(
            _mlpconv(3, (192, 160, 96), 5),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Dropout(dropout),
            _mlpconv(96, (192, 192, 192), 5),
            nn.AvgPool2d(3, 2, ceil_mode=True),
            nn.Dropout(dropout),
            # Without an activation at the end: its outputs are logits.
            _mlpconv(192, (192, 192, dimension), 3)[:-1],
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Logits `(B, dimension)` of images `(B, 3, H, W)`; the paper's are 32 x 32."""
        return self.layers(images).mean((2, 3))


def _mlpconv(given: int, wanted: tuple[int, int, int], kernel: int) -> nn.Sequential:
    """A convolution followed by a two-layer perceptron at each place."""
    first, second, third = wanted
    return nn.Sequential(
        nn.Conv2d(given, first, kernel, 1, kernel // 2),
        nn.ReLU(inplace=True),
        nn.Conv2d(first, second, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(second, third, 1),
        nn.ReLU(inplace=True),
    )
