"""Perplexity, from log-probabilities, from logits, and from the likeliest tokens alone."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.scoring.options import Options
from kullback.scoring.perplexity import perplexity, segment_sums
from kullback.scoring.score import Score
from kullback.scoring.tokens import (
    PerplexityOptions,
    Ragged,
    from_log_probs,
    from_logits,
)
from kullback.scoring.top_log_probs import KeptTokens, from_top_log_probs
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

ALL = PerplexityOptions()
PLAIN = Options()
LOGITS = np.array([[[1.0, 0.0, -1.0], [2.0, 2.0, 0.5]], [[0.0, 4.0, 1.0], [1.0, 1.0, 1.0]]])
TOKENS = draw.ragged([[0, 2], [1, -100]])

log_probs = st.lists(
    st.lists(st.one_of(st.floats(-20.0, 0.0), st.just(0.0)), max_size=4), min_size=1, max_size=4
).filter(any)


def of_log_probs(
    rows: list[list[float]], asked: PerplexityOptions = ALL, options: Options = PLAIN
) -> Score:
    return perplexity(from_log_probs(draw.ragged(rows), asked), asked, options)


def of_logits(
    logits: Array, y_true: Ragged, asked: PerplexityOptions = ALL, options: Options = PLAIN
) -> Score:
    tokens = from_logits(logits, y_true, asked, gradient=options.gradient)
    return perplexity(tokens, asked, options)


def of_top(
    top: Sequence[Sequence[dict[str, float] | None]],
    words: list[list[str]],
    asked: PerplexityOptions = ALL,
    options: Options = PLAIN,
) -> Score:
    tokens = from_top_log_probs(kept_tokens(top), draw.ragged_words(words), asked, options)
    return perplexity(tokens, asked, options)


def kept_tokens(top: Sequence[Sequence[dict[str, float] | None]]) -> KeptTokens:
    flat = [kept for sequence in top for kept in sequence]
    lengths = np.array([len(sequence) for sequence in top], np.int64)
    return KeptTokens(flat, [None] * len(flat), lengths)


@st.composite
def batches(pick: st.DrawFn) -> tuple[Array, Ragged, Ragged]:
    """Logits (n, t, v) with targets and a mask that leaves a token."""
    n, t, v = pick(st.integers(1, 3)), pick(st.integers(1, 3)), pick(st.integers(2, 5))
    logits = pick(draw.tables(n * t, v, draw.mild)).reshape(n, t, v)
    lengths = np.full(n, t, np.int64)
    flags = pick(draw.vectors(n * t, st.sampled_from((0.0, 1.0))))
    flags[pick(st.integers(0, n * t - 1))] = 1.0
    return logits, Ragged(pick(draw.indices(n * t, v)), lengths), Ragged(flags, lengths)


def test_two_halves_and_a_quarter_are_a_choice_of_two_to_the_four_thirds() -> None:
    score = of_log_probs([[math.log(0.5), math.log(0.5)], [math.log(0.25)]])

    assert score.value == pytest.approx(2 ** (4 / 3), rel=1e-15)
    assert draw.number(score, "bits_per_token") == pytest.approx(4 / 3, rel=1e-15)
    assert draw.detail(score, "n_tokens") == 3


def test_longer_sequences_weigh_more() -> None:
    score = of_log_probs([[-1.0, -1.0, -1.0], [-5.0]])

    assert score.value == pytest.approx(math.exp(8 / 4), rel=1e-15)
    assert draw.detail(score, "sequences") == [
        {"nll": 3.0, "n_tokens": 3, "perplexity": math.exp(1.0)},
        {"nll": 5.0, "n_tokens": 1, "perplexity": math.exp(5.0)},
    ]


@given(log_probs)
def test_perplexity_is_what_60_digits_say(rows: list[list[float]]) -> None:
    score = of_log_probs(rows, ALL, Options(per_row=True))

    nll = [-sum(row) for row in rows]
    expected = float(oracle.perplexity(nll, [len(row) for row in rows]))
    assert score.value == pytest.approx(expected, rel=1e-12)
    assert score.value >= 1.0
    assert draw.number(score, "log10_perplexity") == pytest.approx(
        math.log10(expected), rel=1e-12, abs=1e-15
    )
    assert not draw.has_negative_zero(score)


@given(log_probs)
def test_masked_tokens_are_as_if_never_sent(rows: list[list[float]]) -> None:
    flags = [[1.0 if (i + j) % 2 else 0.0 for j in range(len(row))] for i, row in enumerate(rows)]
    flags[0] = [1.0] * len(rows[0])
    kept = [
        [value for value, flag in zip(row, mask, strict=True) if flag]
        for row, mask in zip(rows, flags, strict=True)
    ]

    masked = of_log_probs(rows, PerplexityOptions(mask=draw.ragged(flags)))

    left = of_log_probs(kept)
    assert masked.status == left.status
    if left.status == "finite":
        assert masked.value == pytest.approx(left.value, rel=1e-14)
        assert draw.detail(masked, "n_tokens") == draw.detail(left, "n_tokens")


@given(log_probs)
def test_weights_repeat_sequences(rows: list[list[float]]) -> None:
    times = [1 + i % 3 for i in range(len(rows))]
    weight = np.array(times, np.float64)

    weighed = of_log_probs(rows, ALL, Options(sample_weight=weight))
    repeated = of_log_probs([row for row, t in zip(rows, times, strict=True) for _ in range(t)])

    assert weighed.value == pytest.approx(repeated.value, rel=1e-13)
    assert draw.number(weighed, "nll") == pytest.approx(draw.number(repeated, "nll"), rel=1e-13)


@given(log_probs)
def test_base_and_reduction_change_nothing(rows: list[list[float]]) -> None:
    bits = of_log_probs(rows, ALL, Options(base="2", reduction="sum"))

    assert bits.value == of_log_probs(rows).value
    assert bits.unit == "tokens"


def test_the_error_takes_sequences_for_units() -> None:
    score = of_log_probs([[-1.0, -2.0], [-4.0], [-2.0, -2.0, -2.0]])

    mean = 13 / 6
    off = [3 - 2 * mean, 4 - mean, 6 - 3 * mean]
    spread = math.sqrt(math.fsum(d * d for d in off)) / 6 * math.sqrt(3 / 2)
    assert score.standard_error == pytest.approx(math.exp(mean) * spread, rel=1e-13)


def test_a_token_of_probability_zero_is_infinitely_perplexing() -> None:
    score = of_log_probs([[-1.0, -math.inf], [-1.0]], ALL, Options(per_row=True))

    assert (score.value, score.reason) == (math.inf, "positive_infinity")
    assert draw.reason(score, "log10_perplexity") == "positive_infinity"
    assert score.diagnostics.infinite_rows == (0,)
    assert score.standard_error is None


def test_a_perplexity_beyond_a_double_still_has_its_logarithm() -> None:
    score = of_log_probs([[-1000.0], [-1200.0]])

    assert (score.value, score.reason) == (math.inf, "positive_overflow")
    assert draw.number(score, "mean_nll") == 1100.0
    assert draw.number(score, "log10_perplexity") == pytest.approx(1100 / math.log(10), rel=1e-15)
    assert score.standard_error is None


def test_an_error_beyond_a_double_is_none() -> None:
    score = of_log_probs([[-1.0], [-1415.0]])

    assert math.isfinite(score.value)
    assert score.standard_error is None


def test_a_zero_probability_that_is_masked_costs_nothing() -> None:
    asked = PerplexityOptions(mask=draw.ragged([[1, 0]]))

    assert of_log_probs([[-1.0, -math.inf]], asked).value == math.exp(1.0)


def test_no_token_at_all_is_undefined() -> None:
    score = of_log_probs([[-1.0]], PerplexityOptions(mask=draw.ragged([[0]])))

    assert (score.status, score.reason) == ("undefined", "empty")
    assert draw.reason(score, "mean_nll") == "empty"
    assert draw.detail(score, "sequences") == [{"nll": 0.0, "n_tokens": 0, "perplexity": None}]


def test_tokens_without_weight_are_undefined() -> None:
    score = of_log_probs([[-1.0], [-2.0]], ALL, Options(sample_weight=np.zeros(2)))

    assert score.reason == "zero_weight"


def test_bits_per_byte_are_of_all_bytes() -> None:
    asked = PerplexityOptions(n_bytes=np.array(12.0))
    score = of_log_probs([[-3.0, -3.0], [-6.0]], asked)

    assert draw.number(score, "bits_per_byte") == pytest.approx(1 / math.log(2), rel=1e-15)


def test_bytes_of_each_sequence_are_weighed_with_it() -> None:
    asked = PerplexityOptions(n_bytes=np.array([2.0, 4.0]))
    score = of_log_probs([[-3.0], [-6.0]], asked, Options(sample_weight=np.array([1.0, 0.5])))

    assert draw.number(score, "bits_per_byte") == pytest.approx(6 / 4 / math.log(2), rel=1e-15)


def test_without_a_length_of_the_text_there_are_no_bits_of_it() -> None:
    zero = np.array(0.0)
    none = of_log_probs([[-1.0]], PerplexityOptions(n_bytes=zero, n_chars=zero, n_words=zero))
    for unit in ("byte", "char", "word"):
        for name in (f"bits_per_{unit}", f"{unit}_perplexity"):
            assert draw.reason(of_log_probs([[-1.0]]), name) == f"no_{unit}s"
            assert draw.reason(none, name) == f"zero_{unit}s"


@given(batches())
def test_logits_and_their_logarithms_are_one_path(case: tuple[Array, Ragged, Ragged]) -> None:
    logits, y_true, mask = case
    n, t, v = logits.shape
    flat, index = logits.reshape(-1, v), y_true.numbers("y_true").astype(np.int64)
    logs = [float(oracle.log_softmax(row.tolist(), y)) for row, y in zip(flat, index, strict=True)]
    asked = PerplexityOptions(mask=mask)

    score = of_logits(logits, y_true, asked)

    rows = np.array(logs).reshape(n, t).tolist()
    assert score.value == pytest.approx(of_log_probs(rows, asked).value, rel=1e-13)


@given(batches())
def test_the_mean_is_the_log_loss_of_scikit_learn(case: tuple[Array, Ragged, Ragged]) -> None:
    logits, y_true, _ = case
    v = logits.shape[2]
    shares = np.exp(logits.reshape(-1, v))
    shares /= shares.sum(axis=1, keepdims=True)

    score = of_logits(logits, y_true)

    expected = float(log_loss(y_true.values, shares, labels=np.arange(v)))
    assert draw.number(score, "mean_nll") == pytest.approx(expected, rel=1e-12)


@given(batches())
def test_the_gradient_is_the_slope_of_the_perplexity(case: tuple[Array, Ragged, Ragged]) -> None:
    logits, y_true, mask = case
    asked = PerplexityOptions(mask=mask)
    options = Options(gradient=True, sample_weight=np.linspace(1.0, 2.0, logits.shape[0]))

    score = of_logits(logits, y_true, asked, options)

    slope = draw.slope(lambda z: of_logits(z, y_true, asked, options).value, logits)
    assert draw.agrees(score.gradient, slope)
    assert not draw.has_negative_zero(score)


def test_the_numbers_of_torch_2_13_0_are_met() -> None:
    asked = PerplexityOptions(ignore_index=-100)
    score = of_logits(LOGITS, TOKENS, asked, Options(gradient=True))

    assert score.value == pytest.approx(2.5196886719505387, rel=1e-14)
    expected = [
        [
            [-0.281162857189057, 0.20554651874018298, 0.0756163384488739],
            [0.37779894269773046, 0.37779894269773046, -0.7555978853954609],
        ],
        [[0.014402393925210597, -0.05355215961841948, 0.03914976569320891], [0.0, 0.0, 0.0]],
    ]
    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient == pytest.approx(np.array(expected), rel=1e-13)


def test_one_sequence_of_logits_needs_no_batch() -> None:
    score = of_logits(LOGITS[0], draw.ragged([[0, 2]]), ALL, Options(gradient=True))

    assert score.value == of_logits(LOGITS[:1], draw.ragged([[0, 2]])).value
    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient.shape == (2, 3)


def test_a_gap_of_1e4_keeps_its_digits() -> None:
    score = of_logits(np.array([[[1e4 + 0.125, 1e4]]]), draw.ragged([[0]]))

    assert draw.number(score, "mean_nll") == pytest.approx(math.log1p(math.exp(-0.125)), rel=1e-15)


def test_a_near_certain_token_keeps_its_digits() -> None:
    score = of_logits(np.array([[[40.0, 0.0]]]), draw.ragged([[0]]))

    assert draw.number(score, "mean_nll") == pytest.approx(4.248354255291589e-18, rel=1e-14)


def test_a_token_that_is_ruled_out_is_infinitely_perplexing() -> None:
    logits = np.array([[[0.0, -np.inf]]])

    score = of_logits(logits, draw.ragged([[1]]), ALL, Options(gradient=True))

    assert score.reason == "positive_infinity"
    assert score.gradient is None


def test_a_gap_beyond_a_double_is_infinite() -> None:
    score = of_logits(np.array([[[1.7e308, -1.7e308]]]), draw.ragged([[1]]))

    assert score.reason == "positive_infinity"


def test_a_token_outside_counts_for_nothing_where_masked() -> None:
    asked = PerplexityOptions(mask=draw.ragged([[1, 0]]))

    assert of_logits(LOGITS[:1], draw.ragged([[0, 99]]), asked).status == "finite"


def test_blocks_change_nothing() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(3, 40, 2000))
    y_true = Ragged(rng.integers(0, 2000, 120), np.full(3, 40))

    both = of_logits(logits, y_true, ALL, Options(gradient=True))

    shifted = logits - logits.max(axis=2, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    picked = logs.reshape(120, 2000)[np.arange(120), y_true.values]
    assert both.value == pytest.approx(math.exp(-float(picked.mean())), rel=1e-13)
    assert isinstance(both.gradient, np.ndarray)
    assert both.gradient.sum() == pytest.approx(0.0, abs=1e-9)


def test_a_token_that_was_kept_costs_what_was_said() -> None:
    score = of_top([[{"a": -0.25, "b": -2.0}], []], [["b"], []])

    assert draw.number(score, "mean_nll") == 2.0


def test_tokens_that_were_left_out_share_the_rest() -> None:
    score = of_top([[{"a": math.log(0.5)}]], [["x"]], PerplexityOptions(vocabulary_size=11))

    assert score.value == pytest.approx(20.0, rel=1e-15)


@given(st.lists(st.floats(-9.0, -3.0), max_size=4), st.floats(-30.0, -1e-12))
def test_the_rest_keeps_its_digits(others: list[float], likeliest: float) -> None:
    kept = {str(i): value for i, value in enumerate(others)}
    if math.fsum(map(math.exp, others)) + math.exp(likeliest) > 1:
        kept = {}
    kept["first"] = likeliest

    score = of_top([[kept]], [["x"]], PerplexityOptions(vocabulary_size=1000))

    rest = 1 - oracle.mp.fsum(oracle.mp.exp(oracle.mp.mpf(value)) for value in kept.values())
    expected = oracle.mp.log((1000 - len(kept)) / rest)
    tolerance = 1e-12 if len(kept) == 1 else 1e-15 / float(rest)
    assert draw.number(score, "mean_nll") == pytest.approx(float(expected), rel=1e-12 + tolerance)


def test_what_near_certainty_leaves_keeps_its_digits() -> None:
    score = of_top([[{"a": -1e-10}]], [["x"]], PerplexityOptions(vocabulary_size=2))

    assert draw.number(score, "mean_nll") == pytest.approx(-math.log(1e-10 - 5e-21), rel=1e-14)


def test_nothing_kept_leaves_every_token_alike() -> None:
    score = of_top([[{}]], [["x"]], PerplexityOptions(vocabulary_size=7))

    assert score.value == pytest.approx(7.0, rel=1e-15)


def test_a_token_left_out_of_certainty_is_infinitely_perplexing() -> None:
    score = of_top([[{"a": 0.0}]], [["x"]], PerplexityOptions(vocabulary_size=7))

    assert score.reason == "positive_infinity"


def test_a_masked_token_that_was_left_out_needs_no_vocabulary() -> None:
    asked = PerplexityOptions(mask=draw.ragged([[1, 0]]))

    assert of_top([[{"a": -1.0}, {"a": -1.0}]], [["a", "x"]], asked).value == math.exp(1.0)


def test_no_sequence_is_refused() -> None:
    with draw.refused("/token_logprobs", "empty"):
        of_log_probs([])
    with draw.refused("/top_logprobs", "empty"):
        of_top([], [])


@pytest.mark.parametrize("bad", [0.5, math.nan, math.inf])
def test_what_is_no_logarithm_of_a_probability_is_refused_where_it_stands(bad: float) -> None:
    with draw.refused("/token_logprobs/2/1", "not the logarithm"):
        of_log_probs([[-1.0], [], [-1.0, bad]])


def test_words_are_no_log_probabilities() -> None:
    with draw.refused("/token_logprobs", "strings"):
        from_log_probs(draw.ragged_words([["a"]]), ALL)


def test_an_ignored_index_needs_indices() -> None:
    asked = PerplexityOptions(ignore_index=-100)
    with draw.refused("/ignore_index"):
        of_log_probs([[-1.0]], asked)
    with draw.refused("/ignore_index"):
        of_top([[{"a": -1.0}]], [["a"]], asked)


def test_a_mask_of_other_sequences_is_refused() -> None:
    with draw.refused("/mask", "1 sequences of 2"):
        of_log_probs([[-1.0], [-1.0]], PerplexityOptions(mask=draw.ragged([[1]])))


def test_a_mask_of_another_length_is_refused() -> None:
    with draw.refused("/mask/1", "2 entries where the sequence has 1"):
        of_log_probs([[-1.0], [-1.0]], PerplexityOptions(mask=draw.ragged([[1], [1, 1]])))


@pytest.mark.parametrize("bad", [2.0, 0.5, math.nan])
def test_a_mask_is_0_or_1(bad: float) -> None:
    with draw.refused("/mask/1/0", "0 or 1"):
        of_log_probs([[-1.0], [-1.0]], PerplexityOptions(mask=draw.ragged([[1], [bad]])))


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_a_number_of_bytes_is_not_negative(bad: float) -> None:
    with draw.refused("/n_bytes"):
        of_log_probs([[-1.0]], PerplexityOptions(n_bytes=np.array(bad)))


def test_bytes_of_other_sequences_are_refused() -> None:
    with draw.refused("/n_bytes", "[1] is expected"):
        of_log_probs([[-1.0]], PerplexityOptions(n_bytes=np.array([1.0, 2.0])))


def test_weights_of_other_sequences_are_refused() -> None:
    with draw.refused("/sample_weight"):
        of_log_probs([[-1.0]], ALL, Options(sample_weight=np.ones(2)))


def test_logits_without_a_vocabulary_are_refused() -> None:
    with draw.refused("/logits", "[n][t][v] is expected"):
        of_logits(np.zeros(3), draw.ragged([[0]]))


def test_targets_of_other_tokens_are_refused() -> None:
    with draw.refused("/y_true", "not 2 lists of 2 tokens"):
        of_logits(LOGITS, draw.ragged([[0, 1], [0]]))
    with draw.refused("/y_true", "not 2 lists of 2 tokens"):
        of_logits(LOGITS, draw.ragged([[0, 1]]))


def test_words_are_no_targets_of_logits() -> None:
    with draw.refused("/y_true", "strings"):
        of_logits(LOGITS, draw.ragged_words([["a", "b"], ["c", "d"]]))


@pytest.mark.parametrize("bad", [1.5, np.nan, np.inf])
def test_a_fraction_of_a_token_is_refused(bad: float) -> None:
    with draw.refused("/y_true/1/0", "not a token"):
        of_logits(LOGITS, draw.ragged([[0, 1], [bad, 0]]))


@pytest.mark.parametrize("bad", [3.0, -1.0])
def test_a_token_outside_the_vocabulary_is_refused(bad: float) -> None:
    with draw.refused("/y_true/1/1", "not among 0..2"):
        of_logits(LOGITS, draw.ragged([[0, 1], [0, bad]]))


def test_numbers_are_no_words() -> None:
    with draw.refused("/y_true", "strings"):
        from_top_log_probs(kept_tokens([[{"a": -1.0}]]), draw.ragged([[0]]), ALL, PLAIN)


def test_words_of_other_tokens_are_refused() -> None:
    with draw.refused("/y_true", "different lengths"):
        of_top([[{"a": -1.0}]], [["a", "b"]])


@pytest.mark.parametrize("bad", [0.1, math.nan])
def test_a_kept_token_has_the_logarithm_of_a_probability(bad: float) -> None:
    with draw.refused("/top_logprobs/1/0", "not the logarithm"):
        of_top([[], [{"a": -1.0, "b": bad}]], [[], ["a"]])


def test_kept_tokens_do_not_sum_to_more_than_one() -> None:
    with draw.refused("/top_logprobs/0/1", "sum to 1.2"):
        of_top([[{"a": -1.0}, {"a": math.log(0.6), "b": math.log(0.6)}]], [["a", "a"]])


def test_a_token_left_out_needs_the_size_of_the_vocabulary() -> None:
    with draw.refused("/vocabulary_size", "needed"):
        of_top([[{"a": -1.0}]], [["x"]])


def test_a_vocabulary_holds_more_than_was_kept() -> None:
    with draw.refused("/vocabulary_size", "more tokens"):
        of_top([[{"a": -1.0}]], [["x"]], PerplexityOptions(vocabulary_size=1))


def test_a_first_token_without_context_does_not_count() -> None:
    score = of_log_probs([[math.nan, -1.0, -2.0], [-3.0], [math.nan]])

    assert draw.number(score, "mean_nll") == 2.0
    assert draw.detail(score, "n_tokens") == 3
    assert draw.detail(score, "tokens_without_context") == 2
    assert score.value == of_log_probs([[-1.0, -2.0], [-3.0]]).value
    kept = of_top([[None, {"a": -1.0}], [{"b": -2.0}]], [["x", "a"], ["b"]])
    assert draw.number(kept, "mean_nll") == 1.5
    assert draw.detail(kept, "tokens_without_context") == 1


def test_a_later_token_without_a_log_probability_is_refused() -> None:
    with draw.refused("/token_logprobs/0/1", "nan"):
        of_log_probs([[-1.0, math.nan]])
    with draw.refused("/top_logprobs/1/1", "only the first"):
        of_top([[], [{"a": -1.0}, None]], [[], ["a", "a"]])


def test_masked_entries_are_neither_validated_nor_counted() -> None:
    asked = PerplexityOptions(mask=draw.ragged([[1, 1, 0]]))
    for rows in ([[-1.2, -0.3, math.nan]], [[-1.2, -0.3, 7.0]], [[-1.2, -0.3, -math.inf]]):
        score = of_log_probs(rows, asked)
        assert draw.number(score, "mean_nll") == 0.75
        assert draw.detail(score, "tokens_without_context") == 0
    first = PerplexityOptions(mask=draw.ragged([[0, 1]]))
    assert draw.detail(of_log_probs([[math.nan, -1.0]], first), "tokens_without_context") == 0
    ruled_out = np.array([[[-np.inf, -np.inf], [1.0, 2.0]]])
    for row in (np.array([-np.inf, -np.inf]), np.array([np.nan, np.inf])):
        ruled_out[0, 0] = row
        for target in (0.0, -100.0, math.nan, 0.5):
            score = of_logits(ruled_out, draw.ragged([[target, 1]]), first)
            assert score.value == pytest.approx(1 + math.exp(-1), rel=1e-15)
    ignored = PerplexityOptions(ignore_index=-100)
    score = of_logits(ruled_out, draw.ragged([[-100, 1]]), ignored, Options(gradient=True))
    assert score.value == pytest.approx(1 + math.exp(-1), rel=1e-15)
    assert score.gradient is not None
    assert score.gradient[0, 0].tolist() == [0.0, 0.0]
    masked = of_top([[{"a": 3.0}, {"a": -1.0}]], [["x", "a"]], first)
    assert draw.number(masked, "mean_nll") == 1.0


def test_text_of_which_no_token_counts_has_no_bytes() -> None:
    asked = PerplexityOptions(
        mask=draw.ragged([[1, 1], [0]]),
        n_bytes=np.array([4.0, math.nan]),
        n_words=np.array([1.0, 9.0]),
    )
    masked = of_log_probs([[-1.0, -2.0], [-3.0]], asked)

    assert draw.number(masked, "bits_per_byte") == pytest.approx(3 / math.log(2) / 4, rel=1e-15)
    assert draw.number(masked, "word_perplexity") == pytest.approx(math.exp(3), rel=1e-15)
    weighted = of_log_probs(
        [[-1.0, -2.0], [-3.0]],
        PerplexityOptions(n_bytes=np.array([4.0, 5.0])),
        Options(sample_weight=np.array([1.0, 0.0])),
    )
    assert draw.number(weighted, "bits_per_byte") == draw.number(masked, "bits_per_byte")


def test_words_and_characters_divide_the_whole_cost() -> None:
    """lm-evaluation-harness: exp(Σ nll / Σ words), Σ nll / (Σ bytes · ln 2)."""
    asked = PerplexityOptions(
        n_bytes=np.array([10.0, 6.0]), n_chars=np.array(8.0), n_words=np.array([2.0, 2.0])
    )
    score = of_log_probs([[-1.0, -2.0], [-5.0]], asked)

    assert draw.number(score, "word_perplexity") == pytest.approx(math.exp(8 / 4), rel=1e-15)
    assert draw.number(score, "bits_per_word") == pytest.approx(2 / math.log(2), rel=1e-15)
    assert draw.number(score, "byte_perplexity") == pytest.approx(math.exp(8 / 16), rel=1e-15)
    assert draw.number(score, "bits_per_char") == pytest.approx(1 / math.log(2), rel=1e-15)
    assert draw.number(score, "char_perplexity") == pytest.approx(math.e, rel=1e-15)


@given(log_probs)
def test_the_mean_over_sequences_counts_each_once(rows: list[list[float]]) -> None:
    score = of_log_probs(rows)
    means = [-sum(row) / len(row) for row in rows if row]

    expected = sum(map(math.exp, means)) / len(means)
    assert draw.number(score, "mean_perplexity") == pytest.approx(expected, rel=1e-12)
    assert draw.number(score, "mean_sequence_nll") == pytest.approx(
        sum(means) / len(means), rel=1e-12, abs=1e-15
    )
    assert draw.number(score, "mean_perplexity") >= 1.0


def test_long_sequences_are_summed_as_short_ones_are() -> None:
    values = np.linspace(-3.0, 0.0, 1000)
    for lengths in ([1000], [0, 64, 0, 65, 871, 0]):
        sums = segment_sums(values, np.array(lengths))
        ends = np.cumsum(lengths)
        expected = [
            math.fsum(values[e - n : e].tolist()) for e, n in zip(ends, lengths, strict=True)
        ]
        assert sums.tolist() == pytest.approx(expected, rel=1e-14)


ROUNDED = {"A": -0.0001, "B": -9.2}  # to four digits, so that they sum to 1.0000010444


def test_rounded_log_probabilities_are_told_of_the_tolerance() -> None:
    with draw.refused("/top_logprobs/0/0", "sum_tolerance"):
        of_top([[ROUNDED]], [["A"]])
    tolerant = of_top([[ROUNDED]], [["A"]], ALL, Options(sum_tolerance=1e-4))
    assert tolerant.value == pytest.approx(math.exp(0.0001), rel=1e-15)
    surplus = math.exp(-0.0001) + math.exp(-9.2) - 1
    assert tolerant.diagnostics.max_sum_error == pytest.approx(surplus, rel=1e-9)
    assert tolerant.diagnostics.renormalized == 0


def test_kept_probabilities_beyond_one_are_divided_by_their_sum() -> None:
    divided = Options(on_unnormalized="renormalize")
    score = of_top([[ROUNDED, {"A": -1.0}]], [["B", "A"]], ALL, divided)

    total = math.exp(-0.0001) + math.exp(-9.2)
    expected = math.exp((9.2 + math.log(total) + 1.0) / 2)
    assert score.value == pytest.approx(expected, rel=1e-14)
    assert score.diagnostics.renormalized == 1


@pytest.mark.parametrize("shape", [(1, 2, 1), (2, 1)])
def test_a_vocabulary_of_one_token_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="the softmax of one logit is always 1"):
        of_logits(np.zeros(shape), Ragged(np.zeros(2, np.int64), np.array([2])))
