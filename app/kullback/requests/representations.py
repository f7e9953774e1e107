"""Requests with attention maps, latents and games."""

import math
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, FiniteFloat

from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType, LabelRows, Rows
from kullback.requests.base import GradientRequest
from kullback.requests.row_fields import RowFields
from kullback.scoring import gan_loss, gccs, infocam
from kullback.scoring.cost import Cost, entries, rows
from kullback.scoring.labels import Labels
from kullback.scoring.score import Score

Bias = Annotated[Array, Column(EntryType.NUMBER, 1, per_row=False)]
Sample = Annotated[Array, Column(EntryType.NUMBER, 4, per_row=False, rows=True)]
Maps = Annotated[Array, Column(EntryType.NUMBER, 4, per_row=False, rows=True)]
Matrix = Annotated[Array, Column(EntryType.NUMBER, 2, per_row=False)]
Boxes = Annotated[Array, Column(EntryType.NUMBER, 2, per_row=False, rows=True)]
Targets = Annotated[Labels, Column(EntryType.LABEL, 1, per_row=False, scalar=True, rows=True)]
_OF_IMAGES = (
    *("map", "box", "area", "components", "degenerate", "logits", "target", "iou"),
    "pointwise_information",
)
Positive = Annotated[FiniteFloat, Field(gt=0)]


class GanLossRequest(GradientRequest):
    """Losses of a discriminator and a generator."""

    metric_name = "gan_loss"
    row_details = MappingProxyType({"generator_gradient": "fake_logits"})

    real_logits: Sample = Field(
        description="Scores of real samples [n], or of their patches [n][h][w]."
    )
    fake_logits: Sample = Field(description="Scores of generated samples [m], or of patches.")
    kind: gan_loss.GanKind = Field(
        default="non_saturating", description="Form of the adversarial loss."
    )
    label_smoothing: Annotated[FiniteFloat, Field(ge=0, lt=1)] = Field(
        default=0.0, description="What the label of real samples is below 1 (one-sided)."
    )

    def _row_fields(self) -> RowFields:
        """The samples, which are of their own sizes."""
        return RowFields.of_samples(self)

    def _score(self) -> Score:
        """See scoring.gan_loss."""
        settings = gan_loss.GanOptions(self.kind, self.label_smoothing)
        return gan_loss.gan_loss(self.real_logits, self.fake_logits, settings, self.options())


class GccsRequest(GradientRequest):
    """Divergence of class latents from Gaussians around the corners of a simplex."""

    metric_name = "gccs"
    row_details = MappingProxyType(dict.fromkeys(("predictions", "margins", "posteriors"), ""))
    row_axes = MappingProxyType({"latents": 1, "adversarial_latents": 1})

    latents: Rows = Field(description="Latent vectors [n][d].")
    y_true: LabelRows = Field(description="Class indices [n].")
    mu: Positive = Field(description="Distance of the targets from the centre.")
    sigma: Positive = Field(description="Standard deviation of the targets.")
    layout: gccs.Layout = Field(default="standard", description="Positions of the targets.")
    covariance: gccs.Covariance = Field(
        default="diag", description="Form of the covariance of each class."
    )
    ddof: Annotated[int, Field(ge=0, le=1)] = Field(
        default=1, description="Delta degrees of freedom of the covariance."
    )
    adversarial_latents: Rows | None = Field(
        default=None, description="Latent vectors [n][d] under attack."
    )

    def costs(self) -> list[Cost]:
        """The same, with covariances, distances of classes, and a posterior of each class."""
        n, d = rows(self.latents), entries(self.latents) // rows(self.latents)
        k = d if self.layout == "standard" else d + 1
        present = min(k, n // 2)
        work = present**2 * d // 8 + present * (1 << 13)
        spectra = n * d * d // 4 if self.covariance == "full" else 0
        return [
            *super().costs(),
            Cost("covariance", 'send fewer axes, or ask for "diag"', spectra),
            Cost("latents", "send fewer latents at a time", work, n * (k + 2) + k),
        ]

    def _score(self) -> Score:
        """See scoring.gccs."""
        options = gccs.GccsOptions(self.mu, self.sigma, self.layout, self.covariance, self.ddof)
        return gccs.gccs(
            self.latents, self.y_true, self.adversarial_latents, options, self.options()
        )


class InfocamRequest(GradientRequest):
    """Where in an image the information about its label lies."""

    metric_name = "infocam"
    row_details = MappingProxyType(dict.fromkeys(_OF_IMAGES, ""))
    row_axes = MappingProxyType({"features": 3, "truth_box": 1})

    features: Maps = Field(description="Feature maps [c][h][w], or [n][c][h][w].")
    weights: Matrix = Field(description="Weights [k][c] of the last layer.")
    bias: Bias | None = Field(default=None, description="Bias [k] of the last layer.")
    target: Targets | None = Field(default=None, description="Class to locate, or one per image.")
    mode: infocam.Mode = Field(
        default="mean_others", description="What is subtracted from the map of the class."
    )
    reference: int | None = Field(default=None, description="Other class, for mode pair.")
    window: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="Side of the windows whose sums smooth the map."
    )
    threshold: Annotated[FiniteFloat, Field(ge=0, lt=1)] = Field(
        default=0.2, description="Threshold of the normalized map; values must exceed it."
    )
    upsample_to: (
        Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=2)]
        | None
    ) = Field(default=None, description="Size [height, width] to scale the map to.")
    truth_box: Boxes | None = Field(
        default=None, description="True box [x0, y0, x1, y1), or one per image."
    )

    def costs(self) -> list[Cost]:
        """The same, with the map of each image at its size, and its logits."""
        n = self.features.shape[0] if self.features.ndim == 4 else 1
        pixels = math.prod(self.features.shape[-2:])
        margin = (self.window or 1) - 1
        windowed = n * math.prod(side + margin for side in self.features.shape[-2:])
        scaled = n * math.prod(self.upsample_to) if self.upsample_to else 0
        k = rows(self.weights)
        few = "send fewer images at a time"
        return [
            *super().costs(),
            Cost("features", few, n * (pixels * 64 + (1 << 13)), 0 if scaled else windowed),
            Cost("weights", few, min(n, k) * self.weights.size // 4, 2 * n * k),
            Cost("window", "ask for a smaller window", windowed * 32 if margin else 0),
            Cost("upsample_to", "ask for a smaller map", scaled * 16, scaled),
        ]

    def _score(self) -> Score:
        """See scoring.infocam."""
        size = None if self.upsample_to is None else (self.upsample_to[0], self.upsample_to[1])
        options = infocam.InfocamOptions(
            mode=self.mode,
            target=self.target,
            reference=self.reference,
            window=self.window,
            threshold=self.threshold,
            upsample_to=size,
            truth_box=self.truth_box,
        )
        return infocam.infocam(self.features, self.weights, self.bias, options, self.options())
