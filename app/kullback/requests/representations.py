"""Requests with sequences, joint tables, attention maps, latents and games."""

import math
from typing import Annotated

from pydantic import Field, FiniteFloat

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType, LabelRows, LogitRows, Rows
from kullback.requests.base import GradientRequest
from kullback.requests.top_logprobs import TopLogProbs
from kullback.scoring import (
    gan_loss,
    gccs,
    infocam,
    mutual_information,
    pc_softmax,
    perplexity,
    tokens,
)
from kullback.scoring.cost import Cost, entries, rows
from kullback.scoring.labels import Labels
from kullback.scoring.score import Score
from kullback.scoring.tokens import PerplexityOptions, Ragged, Tokens

RaggedLogits = Annotated[Ragged, Column(EntryType.LOGIT, 2, ragged=True)]
RaggedLabels = Annotated[Ragged, Column(EntryType.LABEL, 2, ragged=True)]
RaggedFlags = Annotated[Ragged, Column(EntryType.FLAG, 2, ragged=True)]
LogitCubes = Annotated[Array, Column(EntryType.LOGIT, 3)]
Sizes = Annotated[Array, Column(EntryType.NUMBER, 1, scalar=True)]
Prior = Annotated[Array, Column(EntryType.NUMBER, 1, per_row=False)]
ClassPrior = Annotated[
    Prior | None, Field(description="Prior of the classes [k]; default uniform.")
]
Sample = Annotated[Array, Column(EntryType.NUMBER, 1, per_row=False)]
Maps = Annotated[Array, Column(EntryType.NUMBER, 4, per_row=False)]
Matrix = Annotated[Array, Column(EntryType.NUMBER, 2, per_row=False)]
Targets = Annotated[Labels, Column(EntryType.LABEL, 1, per_row=False, scalar=True)]
Positive = Annotated[FiniteFloat, Field(gt=0)]


def refuse_beside(why: str, request: GradientRequest, *names: str) -> None:
    """Refuse fields that mean nothing beside the form that was sent.

    Raises:
        InvalidInput: one of them was sent.
    """
    for name in names:
        if getattr(request, name) is not None:
            raise InvalidInput.at(f"{name} {why}", name)


class PerplexityRequest(GradientRequest):
    """Perplexity of token sequences, from log-probabilities or logits."""

    token_logprobs: RaggedLogits | None = Field(
        default=None, description="ln p of each token, one list per sequence, of any lengths."
    )
    logits: LogitCubes | None = Field(default=None, description="Logits [n][t][v], with y_true.")
    top_logprobs: TopLogProbs | None = Field(
        default=None,
        description=(
            "For each token an object of the most likely tokens; y_true then holds tokens."
        ),
    )
    y_true: RaggedLabels | None = Field(
        default=None, description="Indices of the true tokens, or the tokens."
    )
    mask: RaggedFlags | None = Field(default=None, description="1 where a token counts.")
    ignore_index: int | None = Field(default=None, description="Index of tokens that do not count.")
    n_bytes: Sizes | None = Field(
        default=None, description="Bytes of the text, or of each sequence."
    )
    vocabulary_size: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Size of the vocabulary, with the tokens that top_logprobs leaves out.",
    )

    def costs(self) -> list[Cost]:
        """The same, with a row of the answer for each sequence."""
        forms = {
            "token_logprobs": self.token_logprobs,
            "logits": self.logits,
            "top_logprobs": self.top_logprobs,
        }
        name, sent = max(forms.items(), key=lambda form: rows(form[1]))
        kept = 256 * entries(self.top_logprobs) + 2048 * rows(self.top_logprobs)
        remedy = "send fewer sequences at a time"
        return [*super().costs(), Cost(name, remedy, rows(sent) * 512 + kept, rows(sent) * 5)]

    def score(self) -> Score:
        """See sequence.perplexity."""
        options = PerplexityOptions(
            self.mask, self.ignore_index, self.n_bytes, self.vocabulary_size
        )
        return perplexity.perplexity(self._tokens(options), options, self.options())

    def _tokens(self, options: PerplexityOptions) -> Tokens:
        forms = (self.token_logprobs, self.logits, self.top_logprobs)
        if sum(form is not None for form in forms) != 1:
            detail = "send one of token_logprobs, logits and top_logprobs"
            raise InvalidInput.at(detail, "token_logprobs")
        if self.gradient and self.logits is None:
            raise InvalidInput.at("the gradient is with respect to logits", "gradient")
        if self.top_logprobs is None:
            refuse_beside("is of top_logprobs", self, "vocabulary_size")
        if self.token_logprobs is not None:
            refuse_beside("is already in token_logprobs", self, "y_true")
            return tokens.from_log_probs(self.token_logprobs, options)
        if self.y_true is None:
            raise InvalidInput.at("this field is missing", "y_true")
        if self.logits is not None:
            return tokens.from_logits(self.logits, self.y_true, options, gradient=self.gradient)
        return tokens.from_top_log_probs(self._kept(), self.y_true, options, self.sum_tolerance)

    def _kept(self) -> list[list[dict[str, float]]]:
        return [
            [{token: float(value) for token, value in kept.items()} for kept in sequence]
            for sequence in self.top_logprobs or ()
        ]


class MutualInformationRequest(GradientRequest):
    """Mutual information of a table, of a classifier, or of pair scores."""

    joint: Rows | None = Field(
        default=None, description="Joint distribution [a][b]: rows X, columns Y."
    )
    logits: LogitRows | None = Field(default=None, description="Logits [n][k] of a classifier.")
    y_true: LabelRows | None = Field(default=None, description="Class indices [n].")
    prior: ClassPrior = None
    logit_kind: mutual_information.LogitKind | None = Field(
        default=None,
        description=(
            "Kind of the logits: trained with cross-entropy (posterior) or with PC-softmax (pc)."
        ),
    )
    pair_scores: LogitRows | None = Field(
        default=None, description="Scores of pairs [n][n]; joint pairs on the diagonal."
    )
    estimator: mutual_information.PairEstimator | None = Field(
        default=None, description="Estimator for pair_scores; default infonce."
    )

    def score(self) -> Score:
        """See dependence."""
        forms = (self.joint, self.logits, self.pair_scores)
        if sum(form is not None for form in forms) != 1:
            raise InvalidInput.at("send one of joint, logits and pair_scores", "joint")
        if self.estimator is not None and self.pair_scores is None:
            raise InvalidInput.at("an estimator is of pair_scores", "estimator")
        if self.logits is None:
            refuse_beside("is of a classifier", self, "y_true", "prior", "logit_kind")
        if self.pair_scores is not None:
            estimator = self.estimator or "infonce"
            return mutual_information.information_of_pairs(
                self.pair_scores, estimator, self.options()
            )
        if self.joint is not None:
            if self.gradient:
                raise InvalidInput.at("a table has no gradient", "gradient")
            return mutual_information.information_of_table(self.joint, self.options())
        assert self.logits is not None
        if self.y_true is None:
            raise InvalidInput.at("this field is missing", "y_true")
        return mutual_information.information_of_classifier(
            self.logits, self.y_true, self.prior, self.logit_kind, self.options()
        )


class PCSoftmaxRequest(GradientRequest):
    """The probability-corrected softmax loss."""

    logits: LogitRows = Field(description="Logits [n][k].")
    y_true: LabelRows = Field(description="Class indices [n].")
    prior: ClassPrior = None

    def score(self) -> Score:
        """See pc_softmax.pc_softmax."""
        return pc_softmax.pc_softmax(self.logits, self.y_true, self.prior, self.options())


class GanLossRequest(GradientRequest):
    """Losses of a discriminator and a generator."""

    real_logits: Sample = Field(description="Scores of real samples [n].")
    fake_logits: Sample = Field(description="Scores of generated samples [m].")
    kind: gan_loss.GanKind = Field(
        default="non_saturating", description="Form of the adversarial loss."
    )

    def score(self) -> Score:
        """See adversarial.gan_loss."""
        return gan_loss.gan_loss(self.real_logits, self.fake_logits, self.kind, self.options())


class GccsRequest(GradientRequest):
    """Divergence of class latents from Gaussians around the corners of a simplex."""

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

    def score(self) -> Score:
        """See latent.gccs."""
        options = gccs.GccsOptions(self.mu, self.sigma, self.layout, self.covariance, self.ddof)
        return gccs.gccs(
            self.latents, self.y_true, self.adversarial_latents, options, self.options()
        )


class InfocamRequest(GradientRequest):
    """Where in an image the information about its label lies."""

    features: Maps = Field(description="Feature maps [c][h][w], or [n][c][h][w].")
    weights: Matrix = Field(description="Weights [k][c] of the last layer.")
    bias: Prior | None = Field(default=None, description="Bias [k] of the last layer.")
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
    truth_box: Matrix | None = Field(
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

    def score(self) -> Score:
        """See attention.infocam."""
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
