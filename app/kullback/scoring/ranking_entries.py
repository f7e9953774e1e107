"""Entries of the catalog for losses that rank items."""

from kullback.scoring.metric import NATS, Example, Metric

RANKING_ENTRIES = (
    Metric(
        "listwise-softmax",
        "Listwise softmax loss",
        "Cross-entropy of a softmax over the items of each list with their relevance.",
        "ℓ = −Σᵢ tᵢ ln softmax(z)ᵢ over a list, t = y / Σ y; value = Σ Wℓ / Σ W over lists",
        NATS,
        "[0, ∞]",
        "lower",
        Example(
            {
                "logits": [1.0986122886681098, 0.0, 0.0, 0.0],
                "y_true": [1, 0, 2, 2],
                "group": ["ann", "ann", "bob", "bob"],
            },
            0.4904146265058631,
            {"lists": 2, "target_entropy": 0.34657359027997264},
            "Ann took what was three times as likely, ln 4/3; Bob's even choice costs ln 2, "
            "its own entropy.",
        ),
    ),
    Metric(
        "bpr",
        "Bayesian personalized ranking loss",
        "Logistic loss of each pair of a positive and a negative item.",
        "ℓ = −ln σ(zᵢ − zⱼ), i positive and j negative of a group; value = Σ wᵢwⱼℓᵢⱼ / Σ wᵢwⱼ",
        NATS,
        "[0, ∞)",
        "lower",
        Example(
            {
                "logits": [1.0986122886681098, 0.0, 0.0, 0.0, 0.0],
                "y_true": [1, 0, 0, 1, 0],
                "group": ["ann", "ann", "ann", "bob", "bob"],
            },
            0.4228371084878357,
            {"pairs": 3, "groups": 2, "auc": 0.8333333333333334},
            "Ann's two pairs have odds of 3 : 1, which cost ln 4/3 each; Bob's is a toss-up of "
            "ln 2.",
        ),
    ),
    Metric(
        "sampled-softmax",
        "Sampled softmax loss",
        "Cross-entropy of a positive item in a softmax over it and negatives drawn with it.",
        "ℓ = −ln (e^{z⁺} / (e^{z⁺} + Σⱼ e^{zⱼ})), z = logit − ln q",
        NATS,
        "[0, ∞]",
        "lower",
        Example(
            {
                "positive_logits": [0.6931471805599453],
                "negative_logits": [[0.0, 0.0]],
                "negative_log_q": [[-0.6931471805599453, -0.6931471805599453]],
            },
            1.0986122886681098,
            {"accuracy": 0.3333333333333333, "negatives": 2},
            "A negative that is drawn half of the time counts twice: odds of 2 : 2 : 2, which cost "
            "ln 3.",
        ),
    ),
)
