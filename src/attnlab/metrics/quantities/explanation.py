"""Whether attention explains what a model says: the measures of ``attnlab explain``, each a mean over instances.

What each is, and whose: ``docs/explanation.md``. ``better`` says which way speaks for attention as an explanation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attnlab.metrics.quantity import Better, Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Explained(Summed):
    """C is: the measure of an instance, 1; of one that it is not defined for (a single position) 0, 0.

    Attributes:
        paper: whose it is, in short.
    """

    paper: str = ""
    costly: bool = True  # a test does not measure it

    def count(self, record: Record) -> Sequence[float] | None:
        measured = record.get("measures")
        if not isinstance(measured, dict) or self.name not in measured:
            return None
        value = measured[self.name]
        return (0.0, 0.0) if value is None else (float(value), 1.0)

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        import numpy as np

        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[..., 0] / sums[..., 1]


def measure(name: str, title: str, better: Better, paper: str = "", **more: Any) -> Explained:
    """A measure that lies between 0 and 1 unless told otherwise."""
    return Explained(**{"name": name, "title": title, "better": better, "paper": paper, "digits": 3, "lowest": 0,
                        "highest": 1, **more})  # fmt: skip


def correlation(name: str, title: str, paper: str) -> Explained:
    return measure(name, title, "higher", paper, lowest=-1, unit="Kendall's tau")


JAIN = "Jain and Wallace 2019"
SERRANO = "Serrano and Smith 2019"
DEYOUNG = "DeYoung et al. 2020"
YEH = "Yeh et al. 2019"
KOBAYASHI = "Kobayashi et al. 2020"
ABNAR = "Abnar and Zuidema 2020"
ANY = {"lowest": float("-inf"), "highest": float("inf")}

ENTROPY = measure("attention_entropy", "entropy", "lower", highest=float("inf"), unit="nats")
EFFECTIVE = measure("effective_positions", "effective positions", "lower", highest=float("inf"), digits=2)
TAU_GRADIENT = correlation("tau_gradient", "tau with gradient", JAIN)
TAU_LEAVE_ONE_OUT = correlation("tau_leave_one_out", "tau with leaving one out", JAIN)
TAU_VALUE_ZEROING = correlation("tau_value_zeroing", "tau with value zeroing", "Mohebbi et al. 2023")
TAU_INTEGRATED = correlation("tau_integrated_gradients", "tau with integr. gradients", "Sundararajan et al. 2017")
TAU_OCCLUSION = correlation("tau_occlusion", "tau with occlusion", "Zeiler and Fergus 2014")
TAU_NORM = correlation("tau_norm", "tau with norms", KOBAYASHI)
TAU_ROLLOUT = correlation("tau_rollout", "tau with rollout", ABNAR)
TAU_FLOW = correlation("tau_flow", "tau with flow", ABNAR)
PERMUTED = measure("permuted_change", "change, permuted weights", "higher", JAIN, highest=float("inf"))
UNIFORM = measure("uniform_change", "change, uniform weights", "higher", "Wiegreffe and Pinter 2019",
                  highest=float("inf"))  # fmt: skip
ADVERSARIAL = measure("adversarial_divergence", "divergence of the adversary", "lower", JAIN, unit="nats",
                      highest=0.694)  # fmt: skip
ADVERSARIAL_FOUND = measure("adversarial_found", "adversary found any (share)", "lower", JAIN)
ADVERSARIAL_SHARE = measure("adversarial_share", "its share of the possible", "lower", JAIN)
ADVERSARIAL_CHANGE = measure("adversarial_change", "change by the adversary", "higher", JAIN)
COMPREHENSIVENESS = measure("comprehensiveness", "comprehensiveness", "higher", DEYOUNG, **ANY)
COMPREHENSIVENESS_RANDOM = measure("comprehensiveness_random", "comprehensiveness, random", "lower", DEYOUNG, **ANY)
SUFFICIENCY = measure("sufficiency", "sufficiency", "lower", DEYOUNG, **ANY)
SUFFICIENCY_RANDOM = measure("sufficiency_random", "sufficiency, random", "higher", DEYOUNG, **ANY)
TAU_GRADIENT_NORM = correlation("tau_gradient_norm", "norms: tau with gradient", KOBAYASHI)
TAU_LEAVE_ONE_OUT_NORM = correlation("tau_leave_one_out_norm", "norms: tau with leaving out", KOBAYASHI)
COMPREHENSIVENESS_NORM = measure("comprehensiveness_norm", "norms: comprehensiveness", "higher", KOBAYASHI, **ANY)
SUFFICIENCY_NORM = measure("sufficiency_norm", "norms: sufficiency", "lower", KOBAYASHI, **ANY)
TAU_GRADIENT_ROLLOUT = correlation("tau_gradient_rollout", "rollout: tau with gradient", ABNAR)
TAU_LEAVE_ONE_OUT_ROLLOUT = correlation("tau_leave_one_out_rollout", "rollout: tau with leaving out", ABNAR)
COMPREHENSIVENESS_ROLLOUT = measure("comprehensiveness_rollout", "rollout: comprehensiveness", "higher", ABNAR, **ANY)
SUFFICIENCY_ROLLOUT = measure("sufficiency_rollout", "rollout: sufficiency", "lower", ABNAR, **ANY)
TAU_GRADIENT_FLOW = correlation("tau_gradient_flow", "flow: tau with gradient", ABNAR)
TAU_LEAVE_ONE_OUT_FLOW = correlation("tau_leave_one_out_flow", "flow: tau with leaving out", ABNAR)
COMPREHENSIVENESS_FLOW = measure("comprehensiveness_flow", "flow: comprehensiveness", "higher", ABNAR, **ANY)
SUFFICIENCY_FLOW = measure("sufficiency_flow", "flow: sufficiency", "lower", ABNAR, **ANY)
FLIP_ATTENTION = measure("flip_attention", "removed to flip: attention", "lower", SERRANO)
FLIP_GRADIENT = measure("flip_gradient", "removed to flip: gradient", "higher", SERRANO)
FLIP_PRODUCT = measure("flip_product", "removed to flip: product", "higher", SERRANO)
FLIP_RANDOM = measure("flip_random", "removed to flip: random", "higher", SERRANO)
AGREEMENT = correlation("agreement_tau", "tau with other runs", "Wiegreffe and Pinter 2019")
APART = measure("agreement_divergence", "divergence of other runs", "lower", "Wiegreffe and Pinter 2019", unit="nats",
                highest=0.694)  # fmt: skip
INFIDELITY = measure("infidelity", "infidelity", "lower", YEH, highest=float("inf"), digits=4)
SENSITIVITY = measure("sensitivity", "sensitivity", "lower", YEH, highest=float("inf"))
