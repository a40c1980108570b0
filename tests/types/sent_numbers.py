"""Numbers as psycopg sends them: floats as double precision, integers by their size, None as NULL."""

from decimal import Decimal

import psycopg


def value(connection, call, *arguments):
    return connection.execute(f"SELECT ({call})", arguments).fetchone()[0]


with psycopg.connect(autocommit=True) as connection:
    value(connection, "orchestrator.start_run('numbers.py', orchestrator.uuidv7(), 's')")
    for number in (0.1, Decimal("0.1"), "0.1"):
        for call, expected in (
            ("orchestrator.set_price('m', %s, 1)).input_cost_per_million", Decimal("0.1")),
            ("orchestrator.record_safety('numbers.py', score => %s)).safety_score", Decimal("0.1")),
        ):
            stored = value(connection, f"({call}", number)
            assert stored == expected, (call, number, stored)
    for number in (0.1, Decimal("0.2"), 1, None):
        value(connection, "orchestrator.record_run_progress('numbers.py', cost => %s)", number)
    cost = value(connection, "SELECT cost_usd FROM orchestrator.orchestrator_runs WHERE thread_id = 'numbers.py'")
    assert cost == Decimal("1.3"), cost
    for number in (0.1, Decimal("0.2"), 1, None):
        call = "orchestrator.record_run_progress(%s, %s, %s, %s, %s, %s)"
        value(connection, call, "numbers.py", None, "a", 7, number, ["f"])
    cost = value(connection, "SELECT cost_usd FROM orchestrator.orchestrator_runs WHERE thread_id = 'numbers.py'")
    assert cost == Decimal("2.6"), cost
    for number in (0.1, Decimal("0.1"), "0.1"):
        review = value(connection, "orchestrator.request_review(%s, %s, %s, %s)", "numbers.py", "safety", "r", number)
        stored = value(connection, "SELECT safety_score FROM orchestrator.human_review_queue WHERE id = %s", review)
        assert stored == Decimal("0.1"), (number, stored)
print("numbers of psycopg find their functions, and 0.1 is stored as 0.1")
