"""What a part of one's own is tested with: the checks that the laboratory's parts pass themselves, as plain functions.

    import pytest
    from attnlab.testing import attention, configured

    @pytest.mark.parametrize("check", attention.CHECKS)
    def test_contract(check):
        check(configured("attention=mine"))

A failed check is an AssertionError that says what was expected. pytest is not needed by any of them.
"""

from attnlab.testing.configured import configured as configured
from attnlab.testing.configured import quantity as quantity
