"""Requests with sequences of tokens."""

from types import MappingProxyType
from typing import Annotated

import numpy as np
from pydantic import Field

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Flags, Indices
from kullback.payload.columns import Column, EntryType, LogitCubes
from kullback.requests.base import GradientRequest, Index, refuse_beside, refuse_without
from kullback.requests.row_fields import RowFields
from kullback.requests.top_logprobs import TopLogProbs
from kullback.scoring import perplexity, tokens
from kullback.scoring.cost import Cost, entries, rows
from kullback.scoring.score import Score
from kullback.scoring.tokens import PerplexityOptions, Ragged, Tokens
from kullback.scoring.top_log_probs import from_top_log_probs

RaggedLogits = Annotated[Ragged, Column(EntryType.LOGIT, 2, ragged=True, rows=True)]
RaggedLabels = Annotated[Ragged, Column(EntryType.LABEL, 2, ragged=True, rows=True)]
RaggedFlags = Annotated[Ragged, Column(EntryType.FLAG, 2, ragged=True, rows=True)]
Sizes = Annotated[Array, Column(EntryType.NUMBER, 1, scalar=True, rows=True)]


class PerplexityRequest(GradientRequest):
    """Perplexity of token sequences, from log-probabilities or logits."""

    metric_name = "perplexity"
    score_unit = "tokens"
    row_axes = MappingProxyType({"logits": 2})
    row_details = MappingProxyType({"sequences": ""})
    summed_fields = ("top_logprobs",)

    token_logprobs: RaggedLogits | None = Field(
        default=None,
        description="ln p of each token, a list per sequence, of any lengths; or one list.",
    )
    logits: LogitCubes | None = Field(default=None, description="Logits [n][t][v], with y_true.")
    top_logprobs: TopLogProbs | None = Field(
        default=None,
        description=(
            "For each token the likeliest ones, as an object token → ln p, as vLLM's object of "
            "ids, as OpenAI's {token, logprob, top_logprobs}, or as a list of {token, logprob}."
        ),
    )
    y_true: RaggedLabels | None = Field(
        default=None,
        description="Indices of the true tokens, or the tokens; not needed where top_logprobs "
        "names them.",
    )
    mask: RaggedFlags | None = Field(default=None, description="1 where a token counts.")
    ignore_index: Index | None = Field(
        default=None, description="Index of tokens that do not count."
    )
    n_bytes: Sizes | None = Field(
        default=None, description="Bytes of the text, or of each sequence."
    )
    n_chars: Sizes | None = Field(
        default=None, description="Characters of the text, or of each sequence."
    )
    n_words: Sizes | None = Field(
        default=None, description="Words of the text, or of each sequence."
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

    def _row_fields(self) -> RowFields:
        """The sequences, of which tokens that do not count may be missing."""
        return RowFields.of(self, self.row_axes, ("top_logprobs",), self._masked())

    def _masked(self) -> dict[str, Flags]:
        """Which tokens do not count: masked, ignored, and first ones without context."""
        sent = self.token_logprobs or self.top_logprobs
        if sent is not None:
            of_mask = self._are_masked(sent.lengths)
            masked = of_mask.copy()
            first = (
                sent.first_entries() if isinstance(sent, Ragged) else tokens.starts(sent.lengths)
            )
            masked[first] = True
            fields = {"token_logprobs": masked, "top_logprobs": masked}
            if self.y_true is None or not np.array_equal(self.y_true.lengths, sent.lengths):
                return fields
            return fields | {"y_true": of_mask}
        if self.y_true is None or self.logits is None:
            return {}
        masked = self._are_masked(self.y_true.lengths)
        if self.logits.size != masked.size * self.logits.shape[-1]:
            return {}
        if self.ignore_index is not None:
            masked |= self.y_true.numbers("y_true") == self.ignore_index
        rows_of = masked.reshape(*self.logits.shape[:-1], 1)
        return {"y_true": masked, "logits": np.broadcast_to(rows_of, self.logits.shape)}

    def _are_masked(self, lengths: Indices) -> Flags:
        """Which tokens the mask leaves out; none where it is of another shape."""
        if self.mask is None or not np.array_equal(self.mask.lengths, lengths):
            return np.zeros(int(lengths.sum()), np.bool_)
        masked: Flags = self.mask.numbers("mask") == 0
        return masked

    def _score(self) -> Score:
        """See scoring.perplexity."""
        options = PerplexityOptions(
            mask=self.mask,
            ignore_index=self.ignore_index,
            n_bytes=self.n_bytes,
            n_chars=self.n_chars,
            n_words=self.n_words,
            vocabulary_size=self.vocabulary_size,
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
        if self.top_logprobs is not None:
            return from_top_log_probs(self.top_logprobs, self.y_true, options, self.options())
        refuse_without(self, "y_true")
        assert self.y_true is not None
        assert self.logits is not None
        return tokens.from_logits(self.logits, self.y_true, options, gradient=self.gradient)
