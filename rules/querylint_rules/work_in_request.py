"""
# Work for every row while a request waits

## What it finds
A request to another server, or a mail, for every row of a query without a limit, one after the other, in what answers a request, or in an
action that clients may run.

```py
# shop/views.py
from django.core.mail import send_mail
from django.http import JsonResponse

from shop.models import Order


def remind(request):
    for order in Order.objects.filter(paid=False):
        send_mail("Please pay", order.text, None, [order.address])  # expect: work-in-request "for every row of `Order`"
    return JsonResponse({})
```

```py
# shop/models.py
from django.db import models


class Order(models.Model):
    paid = models.BooleanField(default=False)
    text = models.TextField()
    address = models.EmailField()
```

## Why it costs
The answer takes as many waits as there are rows, and that many grow: the worker is taken for as long, the browser or a proxy gives up, and
what was done so far is done again by whoever tries again. An action of Convex is stopped at
the limit of its time, whatever it has done by then.

## Instead
Queue a task for each row, or one for all of them, and answer at once; in Convex, `ctx.scheduler.runAfter(0, ...)` or the workpool
component. Where the other side takes several at a time, hand it all of them.

## When it stays silent
Jobs and commands, for which nobody waits; lists with a limit, and loops that end with the first row that fits; tests and seeds. It is a
hint where only mails are sent, of which a queue may take care, as the settings do not always say, and where only staff ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import for_staff, waited_for
from querylint.advise.growth import small
from querylint.advise.outside import Repeated, answers, repeated
from querylint.advise.places import reaching, shortest
from querylint.ir import Program
from querylint.remedy import Advice
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule

QUEUE = Advice("queue a task for each row, or one for all of them, and answer at once")
SCHEDULE = Advice("schedule an action for each row, or hand the rows to a workpool, and answer at once")


@rule(pattern="background", severity=Severity.WARNING, cwe=405)
def work_in_request(program: Program) -> Iterator[Found]:
    """Waits for the world outside for every row, while a request waits."""
    for work in repeated(program):
        function, table = work.site.function, work.read.table
        if not waited_for(program, function) or small(program, table):
            continue
        because = _because(program, work)
        name = f"`{table}`" if table is not None else "a query"
        yield Found(
            work.site.step.span,
            f"`{work.outside.call.text}` is called{work.outside.through(program)} for every row of {name} while a request waits",
            (
                *shortest(reaching(program, function)),
                Point(work.loop.span, f"once for every row of {name}"),
                *work.outside.points(program),
            ),
            QUEUE if program.facts(function).planner else SCHEDULE,
            Severity.INFO if because else None,
            Confidence.SURE if work.outside.requested else Confidence.LIKELY,
            function.key,
            table,
            cost=Cost("n waits for another server", "none in the request"),
            because=because,
        )


def _because(program: Program, work: Repeated) -> str:
    hosts = [host for host in program.hosts(work.site.function.key) if answers(host)]
    if all(for_staff(program, host) for host in hosts):
        return "only staff ask for it, mostly for rows that they have picked"
    return "" if work.outside.requested else "a queue may stand behind the mails"
