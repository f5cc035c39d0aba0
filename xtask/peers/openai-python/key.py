"""A plugin of pytest: the tests call with another key than the one that they have written down."""

import os
import sys


def pytest_collection_modifyitems():
    sys.modules["tests.conftest"].api_key = os.environ["TEST_API_KEY"]
