import pytest

from sandbox.testing import running_sandbox


@pytest.fixture(scope="module")
def one_sandbox():
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox):
    """The module's sandbox, as it was at its first start."""
    one_sandbox.reset()
    return one_sandbox
