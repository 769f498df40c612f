"""What the weights of a query sum to, declared by each mechanism and checked by the contract suite."""

from enum import Enum


class RowSum(Enum):
    """The promise of a mechanism about one row of its weights, from the narrowest to the widest."""

    ONE = "exactly 1"  #: a distribution over the positions that may be looked at
    AT_MOST_ONE = "at most 1"  #: nothing below 0; what is missing was not spent
    NOT_NEGATIVE = "0 or more"  #: every position on its own: any sum, nothing below 0
    SIGNED = "any number"  #: weights may be below 0
