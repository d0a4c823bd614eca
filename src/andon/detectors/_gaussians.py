"""How far a point lies from what is usual: Mahalanobis distance, to one Gaussian or to a mixture of several."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from andon.detectors._shapes import Shape


class Gaussians(nn.Module):
    """K Gaussians of D dimensions; `fit` first.

    Attributes:
        means_: (K, D).
        whitening_: (K, D, D), takes a difference from the mean to units of standard deviations.
        log_peaks_: (K,), log of the Gaussian's weight times its density at the mean, less a constant.
    """

    means_: Tensor
    whitening_: Tensor
    log_peaks_: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("means_", "whitening_", "log_peaks_"):
            self.register_buffer(name, None)

    def fit(self, points: Tensor, components: int, least_variance: float, seed: int) -> None:
        """Learn from points (N, D).

        Args:
            components: 1 for one Gaussian with Ledoit and Wolf's shrunk covariance, which can do with fewer points
                than dimensions. Several have diagonal covariances, as each has few points.
            least_variance: added to the variance of every dimension.
        """
        values = points.double().cpu().numpy()
        if components == 1:
            covariance = LedoitWolf().fit(values).covariance_ + least_variance * np.eye(values.shape[1])
            means, whitening = values.mean(axis=0)[None], np.linalg.cholesky(np.linalg.inv(covariance))[None]
            log_peaks = np.zeros(1)
        else:
            mixture = _mixture(values, components, least_variance, seed)
            means, variances = mixture.means_, mixture.covariances_
            whitening = np.stack([np.diag(1 / np.sqrt(of_one)) for of_one in variances])
            log_peaks = np.log(mixture.weights_) - np.log(variances).sum(axis=1) / 2
        self.means_, self.whitening_, self.log_peaks_ = map(_tensor, (means, whitening, log_peaks))

    def forward(self, points: Tensor) -> Tensor:
        """Distance of each point (..., D) in standard deviations, (...).

        For a mixture it is the distance at which one Gaussian would have the same density: with density p and the sum P
        of the peaks, sqrt(2 log(P / p)). With one Gaussian that is the Mahalanobis distance.
        """
        whitened = torch.einsum("...kd,kde->...ke", points.unsqueeze(-2) - self.means_, self.whitening_)
        squares = whitened.square().sum(dim=-1)
        fallen = torch.logsumexp(self.log_peaks_, dim=0) - torch.logsumexp(self.log_peaks_ - squares / 2, dim=-1)
        return (2 * fallen).clamp(min=0).sqrt()


def _mixture(values: NDArray[np.float64], components: int, least_variance: float, seed: int) -> GaussianMixture:
    mixture = GaussianMixture(
        min(components, len(values)), covariance_type="diag", reg_covar=least_variance, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # where it stops is near enough
        return mixture.fit(values)


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def shapes_of_gaussians(components: int, dimensions: int | str) -> dict[str, Shape]:
    """The shapes of the buffers of `Gaussians`, by name."""
    return {
        "means_": Shape((components, dimensions)),
        "whitening_": Shape((components, dimensions, dimensions)),
        "log_peaks_": Shape((components,)),
    }
