"""Runs what queries per row in the newsroom application, and prints the statements that Django sends, as statistics of a database.

`DJANGO_SETTINGS_MODULE=newsroom.settings PYTHONPATH=fixtures/apps/newsroom-django python tests/newsroom_statements.py 10`: each statement
with its number of calls, each call taking a millisecond.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter

import django
from django.core.management import call_command

from newsroom_measure import _actions, _fill, _recorded

ASKED = ("front_page", "tag_page", "comment_counts", "approved_comments", "titles", "archive")

if __name__ == "__main__":
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    actions = _actions(_fill(int(sys.argv[1])))
    with _recorded() as statements:
        for name in ASKED:
            actions[name]()
    rows = csv.writer(sys.stdout)
    rows.writerow(("query", "calls", "total_exec_time"))
    rows.writerows((text, calls, float(calls)) for text, calls in Counter(statements).items())
