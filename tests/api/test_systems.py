"""Information, games, latents, attention maps and counts, as a caller asks for them."""

import json
import math

import numpy as np
import pytest
from httpx import AsyncClient

from kullback.payload.media import ARROW, JSON, PARQUET
from tests.api.asking import Score, score
from tests.api.system_requests import CLASSES, COUNTS, LATENTS, PRIOR, REQUESTS, softmax
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet, as_table, typed

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_numbers_give_the_same_bytes_from_every_type(name: str) -> None:
    metric, request = REQUESTS[name]
    fields = request | {"per_row": True, "base": "2"}
    table, options = as_table(metric, fields)
    expected = answer(metric, as_json(fields), JSON, {})
    assert answer(metric, as_arrow(table), ARROW, options) == expected
    assert answer(metric, as_parquet(table), PARQUET, options) == expected
    batches = table.to_batches(max_chunksize=2)
    assert answer(metric, as_arrow(batches, compression="zstd"), ARROW, options) == expected


@pytest.mark.parametrize("media_type", [ARROW, PARQUET])
async def test_a_prior_may_be_an_option_beside_columns(
    client: AsyncClient, media_type: str
) -> None:
    metric, request = REQUESTS["pc-softmax"]
    expected = await score(client, metric, **request)
    prior = {"prior": json.dumps(PRIOR), "gradient": "true"}
    table, _ = as_table(metric, {name: request[name] for name in ("logits", "y_true")})
    raw = as_arrow(table) if media_type == ARROW else as_parquet(table)
    found = await client.post(
        f"/v1/scores/{metric}", content=raw, params=prior, headers=typed(media_type)
    )
    assert found.json() == expected


async def test_information_of_a_table_is_that_of_its_margins(client: AsyncClient) -> None:
    joint = np.array([[0.25, 0.25], [0.125, 0.375]])
    found = await score(client, "mutual-information", joint=joint.tolist(), base="2")
    x, y = joint.sum(axis=1), joint.sum(axis=0)
    expected = (joint * np.log2(joint / np.outer(x, y))).sum()
    assert found["value"] == pytest.approx(expected, rel=1e-12)
    details = found["details"]
    assert details["entropy_y"] == pytest.approx(-(y * np.log2(y)).sum(), rel=1e-12)
    assert details["entropy_x"] == pytest.approx(-(x * np.log2(x)).sum(), rel=1e-12)
    assert details["conditional_entropy"] == pytest.approx(details["entropy_y"] - expected)
    counted = (joint * 40).tolist()
    again = await score(
        client, "mutual-information", joint=counted, base="2", on_unnormalized="renormalize"
    )
    assert again["value"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["posterior", "pc"])
async def test_a_classifier_tells_of_its_labels(client: AsyncClient, kind: str) -> None:
    sent = REQUESTS["information of a classifier"][1] | {"logit_kind": kind, "per_row": True}
    found = await score(client, "mutual-information", **sent)
    z, y, prior = np.asarray(sent["logits"]), sent["y_true"], np.asarray(PRIOR)
    own = z[np.arange(6), y]
    if kind == "posterior":
        expected = np.log(softmax(z)[np.arange(6), y]) - np.log(prior[y])
    else:
        expected = own - np.log(np.exp(z) @ prior)
    weight = sent["sample_weight"]
    assert [loss is None for loss in found["per_row"]] == [each == 0 for each in weight]
    counted = np.flatnonzero(weight)
    assert [found["per_row"][row] for row in counted] == pytest.approx(expected[counted], rel=1e-11)
    assert found["value"] == pytest.approx(np.average(expected, weights=weight), rel=1e-11)
    assert found["details"].keys() >= {"entropy_y", "cross_entropy", "upper_bound", "estimator"}
    assert found["details"]["entropy_y"] == pytest.approx(-(prior * np.log(prior)).sum())


async def test_a_bound_from_pairs_may_be_negative(client: AsyncClient) -> None:
    f = np.array([[-3.0, 2.0, 0.5], [1.0, -2.0, 0.0], [0.5, 1.5, -1.0]])
    own, others = np.diag(f).mean(), f[~np.eye(3, dtype=bool)]
    expected = {
        "infonce": math.log(3) + np.log(np.diag(softmax(f))).mean(),
        "dv": own - np.log(np.exp(others).mean()),
        "nwj": own - np.exp(others - 1).mean(),
    }
    for estimator, value in expected.items():
        sent: Score = {"pair_scores": f.tolist(), "estimator": estimator}
        found = await score(client, "mutual-information", **sent, gradient=True)
        assert found["value"] == pytest.approx(value, rel=1e-12)
        assert found["value"] < 0
        assert found["details"]["estimator"] == estimator
        assert np.shape(found["gradient"]) == (3, 3)
    found = await score(client, "mutual-information", pair_scores=f.tolist())
    assert found["value"] == pytest.approx(expected["infonce"], rel=1e-12)
    assert found["details"]["upper_bound"] == pytest.approx(math.log(3), rel=1e-15)
    assert found["standard_error"] > 0


async def test_pc_softmax_predicts_with_and_without_the_prior(client: AsyncClient) -> None:
    sent = REQUESTS["pc-softmax"][1]
    found = await score(client, "pc-softmax", **sent)
    z, y = np.asarray(sent["logits"]), sent["y_true"]
    losses = np.log(np.exp(z) @ PRIOR) - z[np.arange(6), y]
    assert found["value"] == pytest.approx(losses.mean(), rel=1e-11)
    assert found["details"]["mutual_information"] == -found["value"]
    assert found["details"]["pointwise_information"] == pytest.approx(-losses, rel=1e-11)
    assert found["details"]["predictions"] == z.argmax(axis=1).tolist()
    assert found["details"]["predictions_prior"] == (z + np.log(PRIOR)).argmax(axis=1).tolist()
    slope = (softmax(z + np.log(PRIOR)) - np.eye(3)[y]) / 6
    assert np.asarray(found["gradient"]) == pytest.approx(slope, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "kind", ["minimax", "non_saturating", "hinge", "wasserstein", "least_squares"]
)
async def test_each_game_has_its_losses(client: AsyncClient, kind: str) -> None:
    r, f = np.array([2.0, -0.5, 1.5, 0.25]), np.array([-1.0, 0.75, -3.0])
    sent: Score = {"real_logits": r.tolist(), "fake_logits": f.tolist(), "kind": kind}
    found = await score(client, "gan-loss", **sent, gradient=True, base="2")
    log = np.log2 if kind in ("minimax", "non_saturating") else np.log
    real, fake, generator = {
        "minimax": (log(1 + np.exp(-r)), log(1 + np.exp(f)), -log(1 + np.exp(f))),
        "non_saturating": (log(1 + np.exp(-r)), log(1 + np.exp(f)), log(1 + np.exp(-f))),
        "hinge": (np.maximum(1 - r, 0), np.maximum(1 + f, 0), -f),
        "wasserstein": (-r, f, -f),
        "least_squares": ((r - 1) ** 2 / 2, f**2 / 2, (f - 1) ** 2 / 2),
    }[kind]
    details = found["details"]
    assert found["value"] == pytest.approx(real.mean() + fake.mean(), rel=1e-12)
    assert details["generator"] == pytest.approx(generator.mean(), rel=1e-12)
    assert details["discriminator_real"] == pytest.approx(real.mean(), rel=1e-12)
    assert details["discriminator_fake"] == pytest.approx(fake.mean(), rel=1e-12)
    boundary = 0.5 if kind == "least_squares" else 0.0
    told = ((r > boundary).mean() + (f < boundary).mean()) / 2
    assert details["discriminator_accuracy"] == pytest.approx(told, rel=1e-15)
    if found["unit"] == "bits":
        assert details["jsd_lower_bound"] == pytest.approx(1 - found["value"] / 2, rel=1e-12)
    else:
        assert (found["unit"], details["jsd_lower_bound"]) == ("dimensionless", None)
    assert [len(side) for side in found["gradient"].values()] == [4, 3]


async def test_a_bad_discriminator_shows_a_negative_divergence(client: AsyncClient) -> None:
    found = await score(client, "gan-loss", real_logits=[-3.0, -2.0], fake_logits=[4.0])
    assert found["details"]["jsd_lower_bound"] == pytest.approx(math.log(2) - found["value"] / 2)
    assert found["details"]["jsd_lower_bound"] < 0
    assert found["details"]["discriminator_accuracy"] == 0.0


@pytest.mark.parametrize("covariance", ["diag", "full"])
async def test_latents_are_measured_against_their_corners(
    client: AsyncClient, covariance: str
) -> None:
    z, y, mu, sigma = np.asarray(LATENTS), np.asarray(CLASSES), 3.0, 0.75
    sent: Score = {"latents": LATENTS, "y_true": CLASSES, "mu": mu, "sigma": sigma}
    found = await score(client, "gccs", **sent, covariance=covariance)
    expected = []
    for label in range(3):
        own = z[y == label]
        cov = np.cov(own.T) if covariance == "full" else np.diag(own.var(axis=0, ddof=1))
        offset = own.mean(axis=0) - mu * np.eye(3)[label]
        log_det = np.linalg.slogdet(cov / sigma**2)[1]
        expected.append((np.trace(cov) / sigma**2 + offset @ offset / sigma**2 - 3 - log_det) / 2)
    details = found["details"]
    assert details["kl_per_class"] == pytest.approx(expected, rel=1e-9)
    assert found["value"] == pytest.approx(sum(expected), rel=1e-9)
    assert details["loss_mean"] == pytest.approx(sum(expected) / 3, rel=1e-9)
    assert details["predictions"] == z.argmax(axis=1).tolist()
    ranked = np.sort(z, axis=1)
    assert details["margins"] == pytest.approx((ranked[:, -1] - ranked[:, -2]) / math.sqrt(2))
    assert details["pairwise_distance"] == pytest.approx(mu * math.sqrt(2), rel=1e-15)


async def test_an_attack_is_told_in_shares(client: AsyncClient) -> None:
    attacked = (np.asarray(LATENTS)[:, ::-1]).tolist()
    sent: Score = {"latents": LATENTS, "y_true": CLASSES, "mu": 3.0, "sigma": 1.0}
    found = await score(client, "gccs", **sent, adversarial_latents=attacked)
    before = np.argmax(LATENTS, axis=1) == CLASSES
    after = np.argmax(attacked, axis=1) == CLASSES
    shift = np.sqrt(((np.asarray(attacked) - LATENTS) ** 2).sum(axis=1)).mean()
    assert found["details"]["robustness"] == pytest.approx(
        {
            "clean_accuracy": before.mean(),
            "adversarial_accuracy": after.mean(),
            "robust_accuracy": (before & after).mean(),
            "attack_success_rate": (before & ~after).sum() / before.sum(),
            "mean_shift": shift,
        }
    )


async def test_an_absent_class_is_null_and_not_in_the_sum(client: AsyncClient) -> None:
    sent: Score = {"latents": [[2.0, 1.0], [0.0, -1.0]], "y_true": [0, 0], "mu": 1, "sigma": 1}
    found = await score(client, "gccs", **sent, ddof=0, reduction="sum")
    assert found["details"]["kl_per_class"] == [0.0, None]
    assert (found["value"], found["details"]["loss_mean"]) == (0.0, 0.0)
    plane = await score(client, "gccs", **sent, layout="regular_k_minus_1")
    assert len(plane["details"]["kl_per_class"]) == 3


async def test_a_map_says_where_the_information_lies(client: AsyncClient) -> None:
    sent = REQUESTS["one image"][1] | {"per_row": True}
    found = await score(client, "infocam", **sent)
    f, w = np.asarray(sent["features"]), np.asarray(sent["weights"])
    maps = np.einsum("kc,chw->khw", w, f)
    difference = maps[2] - (maps[0] + maps[1]) / 2
    details = found["details"]
    assert np.asarray(details["map"]) == pytest.approx(difference, rel=1e-9, abs=1e-12)
    x0, y0, x1, y1 = details["box"]
    inside = difference[y0:y1, x0:x1].sum() / 30
    assert found["value"] == pytest.approx(inside, rel=1e-9)
    assert found["per_row"] == [found["value"]]
    z = maps.mean(axis=(1, 2)) + np.asarray(sent["bias"])
    assert details["logits"] == pytest.approx(z, rel=1e-9)
    assert details["pointwise_information"] == pytest.approx(np.log(softmax(z) * 3), rel=1e-9)
    shared = max(0, min(x1, 4) - max(x0, 1)) * max(0, min(y1, 5) - max(y0, 1))
    assert details["iou"] == pytest.approx(shared / ((x1 - x0) * (y1 - y0) + 12 - shared))
    slope = np.asarray(found["gradient"])
    assert slope[:, y0:y1, x0:x1].sum() == pytest.approx(slope.sum())


async def test_a_batch_of_images_is_scored_as_each_alone(client: AsyncClient) -> None:
    sent = REQUESTS["a batch of images"][1]
    batch = await score(client, "infocam", **sent, per_row=True)
    alone = []
    for i, label in enumerate(sent["target"]):
        own = {"features": sent["features"][i], "target": label, "truth_box": sent["truth_box"][i]}
        alone.append(await score(client, "infocam", **(sent | own)))
    assert batch["per_row"] == pytest.approx([one["value"] for one in alone], rel=1e-12)
    for name in ("box", "area", "components", "degenerate", "target", "iou", "map"):
        assert batch["details"][name] == [one["details"][name] for one in alone]
    assert np.shape(batch["details"]["map"]) == (3, 10, 12)


async def test_a_flat_map_has_no_box_and_is_no_error(client: AsyncClient) -> None:
    sent: Score = {"features": [[[1.0, 1.0]]], "weights": [[1.0], [0.0]], "truth_box": [0, 0, 1, 1]}
    found = await score(client, "infocam", **sent, per_row=True, gradient=True)
    assert (found["status"], found["reason"]) == ("undefined", "no_region")
    details = found["details"]
    assert (details["box"], details["degenerate"], details["area"]) == (None, True, 0)
    assert details["reasons"] == {"box": "no_region", "iou": "no_region"}
    both = sent | {"features": [[[[1.0, 1.0]]], [[[0.0, 1.0]]]], "truth_box": [[0, 0, 1, 1]] * 2}
    found = await score(client, "infocam", **both)
    assert found["details"]["degenerate"] == [True, False]
    assert found["details"]["box"] == [None, [1, 0, 2, 1]]
    assert (found["value"], found["n"]) == (0.5, 1)


def ln_multiplicity(counts: list[int]) -> float:
    return math.lgamma(sum(counts) + 1) - sum(math.lgamma(n + 1) for n in counts)


async def test_entropy_is_estimated_from_counts(client: AsyncClient) -> None:
    counts = COUNTS[0]
    n, p = sum(counts), np.array([c / sum(counts) for c in counts if c])
    plugin = -(p * np.log(p)).sum()
    left = [[c - (i == k) for i, c in enumerate(counts)] for k in range(4)]
    parts = [np.array([c for c in one if c > 0]) / (n - 1) for one in left]
    entropies = [-(q * np.log(q)).sum() for q in parts]
    once = 1 - counts.count(1) / n
    seen = once * p
    expected = {
        "plugin": plugin,
        "miller_madow": plugin + (p.size - 1) / (2 * n),
        "jackknife": n * plugin - (n - 1) * float(np.dot(counts, entropies)) / n,
        "chao_shen": -(seen * np.log(seen) / (1 - (1 - seen) ** n)).sum(),
        "combinatorial": ln_multiplicity(counts) / n,
    }
    for estimator, value in expected.items():
        found = await score(client, "entropy", counts=counts, estimator=estimator)
        assert found["value"] == pytest.approx(value, rel=1e-12)
        assert found["details"]["plugin"] == pytest.approx(plugin, rel=1e-12)
        assert found["conventions"]["estimator"] == estimator
    assert found["details"]["ln_multiplicity"] == pytest.approx(ln_multiplicity(counts))
    shrunk = await score(client, "entropy", counts=counts, estimator="james_stein")
    assert plugin < shrunk["value"] <= math.log(4)


async def test_counts_are_tested_against_a_distribution(client: AsyncClient) -> None:
    counts, q = [30, 50, 20], np.array([0.25, 0.5, 0.25])
    found = await score(client, "kl-divergence", p_counts=counts, q=q.tolist())
    p = np.array(counts) / 100
    divergence = (p * np.log(p / q)).sum()
    assert found["value"] == pytest.approx(divergence, rel=1e-12)
    details = found["details"]
    assert details["g_statistic"] == pytest.approx(200 * divergence, rel=1e-12)
    assert details["degrees_of_freedom"] == 2
    assert details["p_value"] == pytest.approx(math.exp(-100 * divergence), rel=1e-12)
    log_p = ln_multiplicity(counts) + np.dot(counts, np.log(q))
    assert details["combinatorial_divergence"] == pytest.approx(-log_p / 100, rel=1e-10)
