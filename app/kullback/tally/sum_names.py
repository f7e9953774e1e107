"""Names of the sums that a tally keeps, in the order of their numbers."""

from kullback.tally.exact import ONES

# What a row is to its tally: weight w; w times loss l, outcome y, prediction p, squared error b.
COUNTS = ("rows", "weighted_rows", "clipped", "infinite")
MOMENTS = {
    "w": (ONES, "w"),
    "wl": (ONES, "l"),
    "wy": (ONES, "y"),
    "wp": (ONES, "p"),
    "wb": (ONES, "b"),
}
SQUARES = {
    "ww": ("w", "w"),
    "wwl": ("w", "l"),
    "wwll": ("l", "l"),
    "wwy": ("w", "y"),
    "wwyy": ("y", "y"),
    "wwly": ("l", "y"),
    "wwp": ("w", "p"),
    "wwpp": ("p", "p"),
    "wwpy": ("p", "y"),
    "wwb": ("w", "b"),
    "wwbb": ("b", "b"),
}
SCALARS = (*COUNTS, *MOMENTS, *SQUARES)
HISTOGRAM = ("bin_w", "bin_wy", "bin_wp")
UNITS = ("unit_w", "unit_wl", "unit_wy", "unit_wp", "unit_wb")
CLASSES = ("class_w", "class_wp")
RANKS = ("rank_w", "rank_wy")  # score histograms by group of units
CLASS_SQUARES = ("class_ww", "class_wwl")  # of a multiclass task, as UNIT_CLASSES
UNIT_CLASSES = ("unit_class",)  # w by class, then unit: those of a class that is added come last
LABELS = ("class_wl", "class_infinite")  # of a multilabel task, by label
MEASURES = ("unit_gain", "unit_loss")  # Σ w max(x, 0), Σ w max(−x, 0) by measure x, then unit
ABSENT = ("absent_w",)  # w of rows without a prediction, and of rows without a label
VECTORS = (
    *(*HISTOGRAM, *UNITS, *CLASSES, *RANKS, *CLASS_SQUARES, *UNIT_CLASSES, *LABELS),
    *(*MEASURES, *ABSENT),  # tallies of the releases before have none
)
MOST_UNIT_CLASSES = 63  # so that an index of two bytes has room for all of their units
MOST_MEASURES = 16
