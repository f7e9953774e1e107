"""Oracles of further metrics: their formulas at 60 digits, written as the papers write them."""

from collections.abc import Callable, Sequence

import mpmath

Row = Sequence[float]
Number = float  # where an mpf passes for one: mpmath ships no types

mp = mpmath.mp.clone()
mp.dps = 60


def _entropy(parts: Sequence[Number]) -> Number:
    total = mp.fsum(parts)
    value: Number = -mp.fsum(n / total * mp.log(n / total) for n in parts if n > 0)
    return value


def plugin(counts: Row) -> Number:
    return _entropy([mp.mpf(n) for n in counts])


def miller_madow(counts: Row) -> Number:
    seen = sum(1 for n in counts if n > 0)
    value: Number = plugin(counts) + mp.mpf(seen - 1) / (2 * mp.fsum(counts))
    return value


def _without_one(counts: Row) -> list[tuple[Number, Number]]:
    """How many observations may be left out with what entropy."""
    found = []
    for k, n in enumerate(counts):
        if n > 0 and sum(counts) > 1:
            rest = [mp.mpf(m) - (1 if j == k else 0) for j, m in enumerate(counts)]
            found.append((mp.mpf(n), _entropy(rest)))
    return found


def jackknife(counts: Row) -> Number:
    total = mp.fsum(counts)
    left = mp.fsum(n * h for n, h in _without_one(counts))
    value: Number = total * plugin(counts) - (total - 1) / total * left
    return value


def jackknife_error(counts: Row) -> Number:
    total = mp.fsum(counts)
    parts = _without_one(counts)
    mean = mp.fsum(n * h for n, h in parts) / total
    value: Number = mp.sqrt((total - 1) / total * mp.fsum(n * (h - mean) ** 2 for n, h in parts))
    return value


def plugin_error(counts: Row) -> Number:
    total = mp.fsum(counts)
    shares = [mp.mpf(n) / total for n in counts if n > 0]
    second = mp.fsum(p * mp.log(p) ** 2 for p in shares)
    value: Number = mp.sqrt(max(mp.mpf(0), second - plugin(counts) ** 2) / total)
    return value


def chao_shen(counts: Row) -> Number:
    total = mp.fsum(counts)
    once = mp.mpf(sum(1 for n in counts if n == 1))
    once = total - 1 if once == total else once
    shares = [(1 - once / total) * n / total for n in counts if n > 0]
    value: Number = -mp.fsum(p * mp.log(p) / (1 - (1 - p) ** total) for p in shares)
    return value


def james_stein(counts: Row) -> Number:
    total, k = mp.fsum(counts), len(counts)
    shares = [mp.mpf(n) / total for n in counts]
    spread = (total - 1) * mp.fsum((mp.mpf(1) / k - p) ** 2 for p in shares)
    noise = 1 - mp.fsum(p * p for p in shares)
    weight = min(mp.mpf(1), max(mp.mpf(0), noise / spread)) if spread > 0 else mp.mpf(1)
    value: Number = _entropy([weight / k + (1 - weight) * p for p in shares])
    return value


def log_multiplicity(counts: Row) -> Number:
    value: Number = mp.loggamma(mp.fsum(counts) + 1) - mp.fsum(
        mp.loggamma(mp.mpf(n) + 1) for n in counts
    )
    return value


def combinatorial(counts: Row) -> Number:
    value: Number = log_multiplicity(counts) / mp.fsum(counts)
    return value


def kl(counts: Row, q: Row) -> Number:
    """Of counts to a distribution whose sum is 1 but for rounding, which counts for nothing."""
    total, mass = mp.fsum(counts), mp.fsum(q)
    value: Number = mp.fsum(
        mp.mpf(n) / total * mp.log(n * mass / (total * mp.mpf(s)))
        for n, s in zip(counts, q, strict=True)
        if n > 0
    )
    return value


def chi_square_tail(statistic: float, degrees: int) -> Number:
    value: Number = mp.gammainc(mp.mpf(degrees) / 2, mp.mpf(statistic) / 2, regularized=True)
    return value


def stirling_remainder(n: float) -> Number:
    value: Number = mp.loggamma(mp.mpf(n) + 1) - (
        n * mp.log(n) - n + mp.log(2 * mp.pi * mp.mpf(n)) / 2
    )
    return value


def log_erfc(x: float) -> Number:
    value: Number = mp.log(mp.erfc(mp.mpf(x)))
    return value


def log_softmax(z: Row, y: int) -> Number:
    others = (mp.exp(mp.mpf(x) - mp.mpf(z[y])) for j, x in enumerate(z) if j != y)
    value: Number = -mp.log1p(mp.fsum(others))
    return value


def pointwise_information(z: Row, y: int, prior: Row) -> Number:
    pairs = [(mp.mpf(p), mp.mpf(x) - mp.mpf(z[y])) for p, x in zip(prior, z, strict=True)]
    value: Number = -mp.log(mp.fsum(p * mp.exp(gap) for p, gap in pairs if p > 0))
    return value


def expected_mutual_information(rows: Row, columns: Row) -> Number:
    """Vinh, Epps & Bailey (2010), eq. 24."""
    total, terms = int(sum(rows)), []
    for a in map(int, rows):
        for b in map(int, columns):
            for k in range(max(1, a + b - total), min(a, b) + 1):
                ways = mp.binomial(b, k) * mp.binomial(total - b, a - k)
                log = mp.log(mp.mpf(total) * k / (mp.mpf(a) * b))
                terms.append(ways / mp.binomial(total, a) * k / total * log)
    value: Number = mp.fsum(terms)
    return value


def information(joint: Sequence[Row]) -> Number:
    rows = [mp.fsum(row) for row in joint]
    columns = [mp.fsum(column) for column in zip(*joint, strict=True)]
    total = mp.fsum(rows)
    value: Number = mp.fsum(
        mp.mpf(cell) / total * mp.log(mp.mpf(cell) * total / (rows[i] * columns[j]))
        for i, row in enumerate(joint)
        for j, cell in enumerate(row)
        if cell > 0
    )
    return value


def _mean(parts: Sequence[Number]) -> Number:
    value: Number = mp.fsum(parts) / len(parts)
    return value


def infonce(f: Sequence[Row]) -> Number:
    value: Number = mp.log(len(f)) + _mean([log_softmax(row, i) for i, row in enumerate(f)])
    return value


def _others(f: Sequence[Row]) -> list[float]:
    return [cell for i, row in enumerate(f) for j, cell in enumerate(row) if i != j]


def dv(f: Sequence[Row]) -> Number:
    joint = _mean([mp.mpf(row[i]) for i, row in enumerate(f)])
    value: Number = joint - mp.log(_mean([mp.exp(mp.mpf(cell)) for cell in _others(f)]))
    return value


def nwj(f: Sequence[Row]) -> Number:
    joint = _mean([mp.mpf(row[i]) for i, row in enumerate(f)])
    value: Number = joint - _mean([mp.exp(mp.mpf(cell) - 1) for cell in _others(f)])
    return value


def _softplus(x: Number) -> Number:
    value: Number = mp.log1p(mp.exp(x))
    return value


_Term = Callable[[Number], Number]
DISCRIMINATORS: dict[str, tuple[_Term, _Term]] = {
    "minimax": (lambda r: _softplus(-r), _softplus),
    "non_saturating": (lambda r: _softplus(-r), _softplus),
    "hinge": (lambda r: max(1 - r, mp.mpf(0)), lambda f: max(1 + f, mp.mpf(0))),
    "wasserstein": (lambda r: -r, lambda f: f),
    "least_squares": (lambda r: (r - 1) ** 2 / 2, lambda f: f**2 / 2),
}
GENERATORS: dict[str, _Term] = {
    "minimax": lambda f: -_softplus(f),
    "non_saturating": lambda f: _softplus(-f),
    "hinge": lambda f: -f,
    "wasserstein": lambda f: -f,
    "least_squares": lambda f: (f - 1) ** 2 / 2,
}


def discriminator(kind: str, real: Row, fake: Row) -> Number:
    on_real, on_fake = DISCRIMINATORS[kind]
    value: Number = _mean([on_real(mp.mpf(r)) for r in real]) + _mean(
        [on_fake(mp.mpf(f)) for f in fake]
    )
    return value


def generator(kind: str, fake: Row) -> Number:
    value: Number = _mean([GENERATORS[kind](mp.mpf(f)) for f in fake])
    return value


def gaussian_kl(z: Sequence[Row], corner: Row, sigma: float, ddof: int, *, full: bool) -> Number:
    """½[tr S/σ² + |m − μ|²/σ² − d + d ln σ² − ln det S] of the latents of one class."""
    n, d = len(z), len(corner)
    mean = [_mean([mp.mpf(row[j]) for row in z]) for j in range(d)]
    s = mp.zeros(d, d)
    for i in range(d):
        for j in range(d):
            if full or i == j:
                s[i, j] = mp.fsum((row[i] - mean[i]) * (row[j] - mean[j]) for row in z)
                s[i, j] /= n - ddof
    variance = mp.mpf(sigma) ** 2
    trace = mp.fsum(s[j, j] for j in range(d))
    offset = mp.fsum((m - mp.mpf(c)) ** 2 for m, c in zip(mean, corner, strict=True))
    value: Number = (
        trace / variance + offset / variance - d + d * mp.log(variance) - mp.log(mp.det(s))
    ) / 2
    return value


def ideal_error(k: int, ratio: float) -> Number:
    """∫ φ(t)[1 − Φ(t + μ/σ)^{k−1}] dt, times e^{(μ/2σ)²} while it is integrated."""
    size = mp.exp(mp.mpf(ratio) ** 2 / 4)

    def miss(t: Number) -> Number:
        tail = mp.erfc((t + ratio) / mp.sqrt(2)) / 2
        chance = -mp.expm1((k - 1) * mp.log1p(-tail)) if tail < 1 else 1
        value: Number = size * mp.npdf(t) * chance
        return value

    middle = -mp.mpf(ratio) / 2
    value: Number = mp.quad(miss, [middle + step for step in range(-16, 17, 2)]) / size
    return value


def perplexity(nll: Row, counts: Row) -> Number:
    value: Number = mp.exp(mp.fsum(nll) / mp.fsum(counts))
    return value


def relativistic(real: Row, fake: Row) -> tuple[Number, Number]:
    """Jolicoeur-Martineau (2019), eq. 8: of the discriminator and of the generator."""
    r, f = [mp.mpf(x) for x in real], [mp.mpf(x) for x in fake]
    a = [x - mp.fsum(f) / len(f) for x in r]
    b = [x - mp.fsum(r) / len(r) for x in f]

    def cost(values: list[Number], sign: int) -> Number:
        value: Number = mp.fsum(mp.log(1 + mp.exp(sign * x)) for x in values) / len(values)
        return value

    return cost(a, -1) + cost(b, 1), cost(a, 1) + cost(b, -1)
