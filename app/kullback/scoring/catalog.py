"""Each metric in words, with an example worked by hand."""

from collections.abc import Mapping

from kullback.scoring.metric import NATS, Example, Metric
from kullback.scoring.prediction_entries import PREDICTION_ENTRIES
from kullback.scoring.ranking_entries import RANKING_ENTRIES

_ENTRIES = (
    Metric(
        "entropy",
        "Entropy",
        "Uncertainty of a distribution.",
        "H(p) = −Σₖ pₖ ln pₖ",
        NATS,
        "[0, ln k]",
        "neither",
        Example(
            {"p": [0.5, 0.25, 0.25], "base": "2"},
            1.5,
            {"effective_outcomes": 2.82842712474619},
            "One bit for the outcome of ½, two for each of ¼: ½·1 + ¼·2 + ¼·2.",
        ),
    ),
    Metric(
        "cross-entropy",
        "Cross-entropy",
        "Cost of coding draws from p with a code built for q.",
        "H(p, q) = −Σₖ pₖ ln qₖ = H(p) + KL(p‖q)",
        NATS,
        "[H(p), ∞]",
        "lower",
        Example(
            {"p": [0.5, 0.5], "q": [0.25, 0.75]},
            0.8369882167858358,
            {"entropy": 0.6931471805599453, "kl_divergence": 0.14384103622589045},
            "½ ln 4 + ½ ln(4/3): the entropy ln 2 of p, and what believing q costs beyond it.",
        ),
    ),
    Metric(
        "kl-divergence",
        "Kullback-Leibler divergence",
        "Information lost when q is used in place of the true p.",
        "KL(p‖q) = Σₖ pₖ ln(pₖ/qₖ)",
        NATS,
        "[0, ∞]",
        "lower",
        Example(
            {"p": [0.5, 0.5], "q": [0.25, 0.75], "base": "2"},
            0.2075187496394219,
            {"cross_entropy": 1.207518749639422, "entropy": 1.0},
            "½ log₂ 2 + ½ log₂(2/3) bits: 1 − ½ log₂ 3.",
        ),
    ),
    Metric(
        "js-divergence",
        "Jensen-Shannon divergence",
        "Divergence of two distributions from their average.",
        "JS(p, q) = π KL(p‖m) + (1 − π) KL(q‖m), m = πp + (1 − π)q",
        NATS,
        "[0, ln 2]",
        "lower",
        Example(
            {"p": [1.0, 0.0], "q": [0.0, 1.0], "base": "2"},
            1.0,
            {"distance": 1.0},
            "Nothing in common: one bit says which of the two a draw came from.",
        ),
    ),
    *PREDICTION_ENTRIES,
    Metric(
        "perplexity",
        "Perplexity",
        "Number of equally likely tokens that would be as hard to predict.",
        "PPL = exp(Σ nll / Σ tokens), nll = −ln p(token | context)",
        "tokens",
        "[1, ∞]",
        "lower",
        Example(
            {"token_logprobs": [[-0.6931471805599453, -0.6931471805599453], [-1.3862943611198906]]},
            2.519842099789746,
            {"n_tokens": 3, "bits_per_token": 1.3333333333333333},
            "Two tokens of ½ and one of ¼: 4/3 bits a token, 2^(4/3).",
        ),
    ),
    Metric(
        "mutual-information",
        "Mutual information",
        "Information that two variables carry about each other.",
        "I(X; Y) = Σ J ln(J / (p_X p_Y))",
        NATS,
        "[0, min(H(X), H(Y))]; estimates may be negative",
        "higher",
        Example(
            {"x": ["a", "a", "b", "b"], "y": [1, 1, 2, 2], "base": "2"},
            1.0,
            {"entropy_y": 1.0, "conditional_entropy": 0.0, "normalized_mutual_information": 1.0},
            "X tells all of Y, and each is a fair coin: one bit.",
        ),
    ),
    Metric(
        "pc-softmax",
        "Probability-corrected softmax loss",
        "Classification loss whose negative estimates the information of inputs about labels.",
        "ℓ = ln Σⱼ πⱼ e^{zⱼ} − z_y",
        NATS,
        "[min ln π, ∞]",
        "lower",
        Example(
            {
                "logits": [[1.0986122886681098, 0.0], [0.0, 1.0986122886681098]],
                "y_true": [0, 1],
                "prior": [0.5, 0.5],
            },
            -0.40546510810816444,
            {"mutual_information": 0.40546510810816444, "predictions": [0, 1]},
            "s = 3 / (½·3 + ½·1) = 1.5 for both rows: ln 1.5 nats of information.",
        ),
    ),
    Metric(
        "gan-loss",
        "Adversarial losses",
        "Losses of a discriminator and a generator.",
        "d = mean softplus(−r) + mean softplus(f)",
        "nats, bits or hartleys; none for hinge, wasserstein and least_squares",
        "[0, ∞]; wasserstein (−∞, ∞)",
        "lower",
        Example(
            {"real_logits": [0.0, 0.0], "fake_logits": [0.0]},
            1.3862943611198906,
            {"generator": 0.6931471805599453, "jsd_lower_bound": 0.0},
            "A discriminator that cannot tell: 2 ln 2, and no divergence is shown.",
        ),
    ),
    Metric(
        "gccs",
        "Gaussian class-conditional simplex loss",
        "Divergence of class latents from Gaussians around the corners of a simplex.",
        "KL_k = ½ [tr S_k/σ² + ‖m_k − μ_k‖²/σ² − d + d ln σ² − ln det S_k]",
        NATS,
        "[0, ∞]",
        "lower",
        Example(
            {
                "latents": [[2.0, 1.0], [0.0, -1.0], [1.0, 3.0], [-1.0, 1.0]],
                "y_true": [0, 0, 1, 1],
                "mu": 1.0,
                "sigma": 1.0,
                "ddof": 0,
            },
            0.5,
            {"kl_per_class": [0.0, 0.5]},
            "Class 0 has mean (1, 0) and unit variance, as it should; class 1 is one too high.",
        ),
    ),
    Metric(
        "infocam",
        "Information-difference map",
        "Where in an image the information about its label lies.",
        "D = M_y − mean of the other M_k, M_k = Σ_c W_kc F_c; value = Σ_box D / (h·w)",
        NATS,
        "(−∞, ∞)",
        "higher",
        Example(
            {"features": [[[1.0, 0.0], [0.0, 0.0]]], "weights": [[1.0], [0.0]], "target": 0},
            0.25,
            {"box": [0, 0, 1, 1], "degenerate": False},
            "One pixel of four speaks for class 0.",
        ),
    ),
    Metric(
        "compare",
        "Comparison of arms",
        "Which of two recommenders is really better, by how much, and why.",
        "effect = metric(treatment) − metric(control), SE² = G/(G − 1) Σ_b u_b² over unit buckets",
        "nats, bits or hartleys; none for normalized_entropy, brier and base_rate",
        "(−∞, ∞)",
        "lower",
        Example(
            {
                "y_true": [1, 0, 1, 0],
                "y_proba": {"a": [0.5, 0.5, 0.5, 0.5], "b": [0.75, 0.25, 0.75, 0.25]},
                "unit": ["ann", "bob", "cid", "dan"],
            },
            -0.40546510810816444,
            {"design": "paired", "control": "a"},
            "Each row costs b ln 4/3 and a ln 2: b is better by ln 3/2, but by four rows nothing "
            "is decided.",
        ),
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (*_ENTRIES, *RANKING_ENTRIES)}
