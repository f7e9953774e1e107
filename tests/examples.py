"""How hypothesis draws where laws are tried on many examples: the same ones in every run."""

from hypothesis import HealthCheck, settings


def draw_the_same() -> None:
    """Make it so for every test that says nothing else."""
    settings.register_profile(
        "ci",
        derandomize=True,
        deadline=None,
        max_examples=60,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("ci")
