"""How hypothesis draws for the laws of scores."""

from tests.examples import draw_the_same

draw_the_same()
