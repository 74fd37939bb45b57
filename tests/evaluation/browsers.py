"""Waiting for a page."""

import time


def wait_until(page, expression, seconds=20):
    """Ask until it is so; Playwright's own polling evaluates text in the page, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)
