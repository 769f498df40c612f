"""What is measured of translations; without torch, so that a configuration is checked quickly."""

from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.chrf import CHRF
from attnlab.metrics.quantities.loss import LOSS
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.metrics.quantities.ter import TER
from attnlab.metrics.quantity import Counted

MEASURED: tuple[Counted, ...] = (BLEU, CHRF, TER, PERPLEXITY, AER, LOSS)
VALIDATED: tuple[Counted, ...] = (BLEU, LOSS, PERPLEXITY)  #: in a validation, too
