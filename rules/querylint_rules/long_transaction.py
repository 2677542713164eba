"""
# A transaction that waits for another server

## What it finds
A request to another server, a mail, a program or a pause inside a transaction that the code opens, there or in a helper.

```py
# shop/views.py
import requests
from django.db import transaction
from django.http import JsonResponse

from shop.models import Order


def pay(request, pk):
    with transaction.atomic():
        order = Order.objects.get(pk=pk)
        order.state = "paying"
        order.save()
        requests.post("https://bank.example/charge", json={"order": pk})  # expect: long-transaction "`requests.post` is waited for"
    return JsonResponse({})
```

```py
# shop/models.py
from django.db import models


class Order(models.Model):
    state = models.CharField(max_length=20)
```

## Why it costs
The connection, and every row that was written or locked, stay taken for as long as the other side needs: others wait for the rows, and soon
for a connection. If the transaction fails afterwards, what the other side has done is not undone.

## Instead
Ask the other side before the transaction begins, or after it: `transaction.on_commit(lambda: ...)`, a task that is queued on commit, a
table of messages to send. Write the outcome in a transaction of its own.

## When it stays silent
What is put off until the commit, by a callback or a queue; what only an error handler does; tests and seeds; transactions that a framework
opens around each request, which the code does not show. It is a hint where nothing has been written when the wait begins, since no row is
locked then unless a query asks for it, and for mails and programs, which are often quick.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.outside import Held, held
from querylint.advise.places import reaching, shortest
from querylint.ir import Program
from querylint.remedy import Advice
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule

AFTER = Advice("wait before the transaction begins or after it has ended: on_commit, or a task that is queued then")


@rule(pattern="contention", severity=Severity.WARNING, cwe=667)
def long_transaction(program: Program) -> Iterator[Found]:
    """Transactions that wait for the world outside."""
    for wait in held(program):
        function, call = wait.site.function, wait.site.step
        because = _because(wait)
        since = f", after `{wait.written[1].table or 'rows'}` was written" if wait.written is not None else ""
        before = (Point(wait.written[0].step.span, "what is written here stays locked"),) if wait.written is not None else ()
        yield Found(
            call.span,
            f"`{wait.outside.call.text}` is waited for{wait.outside.through(program)} while a transaction is open{since}",
            (
                *shortest(reaching(program, function)),
                *before,
                *wait.outside.points(program),
            ),
            AFTER,
            Severity.INFO if because else None,
            Confidence.SURE if wait.outside.requested else Confidence.LIKELY,
            function.key,
            wait.written[1].table if wait.written is not None else None,
            cost=Cost("a connection and its locks, for as long as the other side needs", "as long as the statements take"),
            because=because,
        )


def _because(wait: Held) -> str:
    if wait.written is None:
        return "nothing has been written when the wait begins"
    return "" if wait.outside.requested else "a mail or a program is often quick"
