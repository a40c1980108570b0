"""The cost of random calls, as this extension and as LiteLLM's own calculator compute it.

The database that libpq's variables name has the extension and no prices. All entries of the price file in LiteLLM's
package are imported, each call is recorded by record_llm_call(), and its cost in llm_usage_costs is compared with the
one of the calculator, which is given the entry as the file has it.
"""

import json
import random
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Callable

import litellm
import psycopg
from litellm.litellm_core_utils.llm_cost_calc.utils import generic_cost_per_token
from litellm.types.utils import (
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    Usage,
)

SEED = 20260901
CALLS = 10_000
TOLERANCE = Decimal("1e-9")
SHOWN = 20

PRICES = Path(litellm.__file__).parent / "model_prices_and_context_window_backup.json"
TIERS = ("standard", "flex", "priority")
INPUT = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens")
OUTPUT = ("output_tokens", "reasoning_tokens")

# Every combination of kinds of tokens that has an input.
COMBINATIONS = [
    tuple(kind for kind, is_used in zip(INPUT + OUTPUT, used) if is_used)
    for used in product((False, True), repeat=len(INPUT + OUTPUT))
    if any(used[: len(INPUT)])
]

# A Wednesday, at an hour at which no provider's price of quiet hours holds. The extension imports the other one.
BUSY_HOUR = datetime(2026, 10, 14, 7, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Model:
    """A name that calls use, with the entry of the file that has its price, and the steps of that price."""

    name: str
    entry: dict
    steps: tuple[int, ...]

    def has(self, field):
        return self.entry.get(field) is not None


@dataclass
class Call:
    model: Model
    service_tier: str
    tokens: dict[str, int]
    # Whether the call is recorded with the cached tokens in the input, and those of reasoning in the output.
    inclusive: bool

    @property
    def length(self):
        return sum(self.tokens[kind] for kind in INPUT)

    def __str__(self):
        tokens = ", ".join(f"{kind} {number}" for kind, number in self.tokens.items() if number)
        return f"{self.model.name}, {self.service_tier}, length {self.length}: {tokens}"


@dataclass(frozen=True)
class Difference:
    """Entries whose costs differ, or are compared otherwise, and the reason."""

    reason: str
    holds: Callable[[Call], bool]
    # The extension knows no cost: unknown is NULL, never 0.
    is_unpriced: bool = False


def is_priced_by_range(call):
    return bool(call.model.entry.get("tiered_pricing"))


def is_cached_by_fireworks(call):
    is_unpriced = not call.model.has("cache_read_input_token_cost")
    is_theirs = call.model.entry["litellm_provider"] == "fireworks_ai"
    return is_theirs and is_unpriced and call.tokens["cache_read_tokens"] > 0


def is_long_write_above_step(call):
    def is_priced(step, tier):
        return call.model.has(f"cache_creation_input_token_cost_above_1hr_above_{step // 1000}k_tokens{tier}")

    is_long = call.service_tier != "standard" and call.tokens["cache_write_1h_tokens"] > 0
    tier = f"_{call.service_tier}"
    steps = (step for step in call.model.steps if step < call.length)
    return is_long and any(is_priced(step, "") and not is_priced(step, tier) for step in steps)


# The first one that holds for a call counts.
DIFFERENCES = (
    Difference(
        "entries with prices by range: they are not imported, and their calls have no cost",
        is_priced_by_range,
        is_unpriced=True,
    ),
    Difference(
        "an entry with prices of the priority tier alone: it is not imported, and its calls have no cost",
        lambda call: not call.model.has("input_cost_per_token") and call.model.has("input_cost_per_token_priority"),
        is_unpriced=True,
    ),
    Difference(
        "entries without any price: LiteLLM says 0, here the cost is unknown",
        lambda call: not any("cost" in field for field in call.model.entry),
        is_unpriced=True,
    ),
    Difference(
        "Fireworks without a price of cached tokens: LiteLLM takes half of the input's, which the file does not say",
        is_cached_by_fireworks,
    ),
    Difference(
        "writes for an hour above a step that the tier does not price: LiteLLM takes the step of the standard tier for "
        "all other tokens of the call, but not for these",
        is_long_write_above_step,
    ),
)


def steps(entry):
    """The lengths at which the prices of an entry change."""
    fields = (re.search(r"_above_(\d+)k_tokens", field) for field, value in entry.items() if value is not None)
    found = {int(field[1]) * 1000 for field in fields if field}
    for priced_range in entry.get("tiered_pricing") or []:
        found.update(int(bound) for bound in priced_range["range"])
    return tuple(sorted(found - {0}))


def chat_models(entries):
    """All models of chat, and the other names of such models."""
    for name, entry in entries.items():
        entry = entries.get(entry.get("alias_of"), entry)
        if entry.get("mode") in ("chat", "responses"):
            yield Model(name, entry, steps(entry))


def calls(models):
    """Calls just below, on and above each step in each tier, at least one call of each model, and random ones."""
    cases = [
        (model, tier, step + offset)
        for model in models
        for step in model.steps
        for tier in TIERS
        for offset in (-1, 0, 1)
    ]
    others = [model for model in models if not model.steps]
    others += random.choices(models, k=max(CALLS - len(cases) - len(others), 0))
    cases += [(model, random.choice(TIERS), random_length()) for model in others]
    random.shuffle(cases)
    for number, (model, tier, length) in enumerate(cases):
        kinds = COMBINATIONS[number % len(COMBINATIONS)]
        tokens = dict.fromkeys(INPUT + OUTPUT, 0)
        tokens.update(parts([kind for kind in kinds if kind in INPUT], length))
        tokens.update((kind, random.randint(1, 50_000)) for kind in kinds if kind in OUTPUT)
        yield Call(model, tier, tokens, random.random() < 0.5)


def random_length():
    return random.randint(10, random.choice((20_000, 1_000_000)))


def parts(kinds, length):
    """Kinds of tokens, each with at least one, that have a length together."""
    bounds = [0, *sorted(random.sample(range(1, length), len(kinds) - 1)), length]
    return [(kind, end - start) for kind, start, end in zip(kinds, bounds, bounds[1:])]


def cost_of_litellm(call):
    tokens = call.tokens
    output = sum(tokens[kind] for kind in OUTPUT)
    writes = CacheCreationTokenDetails(
        ephemeral_5m_input_tokens=tokens["cache_write_tokens"],
        ephemeral_1h_input_tokens=tokens["cache_write_1h_tokens"],
    )
    usage = Usage(
        prompt_tokens=call.length,
        completion_tokens=output,
        total_tokens=call.length + output,
        prompt_tokens_details=PromptTokensDetailsWrapper(
            text_tokens=tokens["input_tokens"],
            cached_tokens=tokens["cache_read_tokens"],
            cache_creation_tokens=tokens["cache_write_tokens"] + tokens["cache_write_1h_tokens"],
            cache_creation_token_details=writes,
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            text_tokens=tokens["output_tokens"], reasoning_tokens=tokens["reasoning_tokens"]
        ),
    )
    costs = generic_cost_per_token(
        model=call.model.name,
        usage=usage,
        custom_llm_provider=call.model.entry["litellm_provider"],
        service_tier=None if call.service_tier == "standard" else call.service_tier,
        model_info=call.model.entry,
        current_time=BUSY_HOUR,
    )
    return Decimal(sum(costs))


def recorded(call):
    """The arguments of record_llm_call()."""
    tokens = dict(call.tokens)
    if call.inclusive:
        tokens["input_tokens"] = call.length
        tokens["output_tokens"] = sum(tokens[kind] for kind in OUTPUT)
    return {"model": call.model.name, "service_tier": call.service_tier, "inclusive": call.inclusive, **tokens}


def costs_of_extension(connection, chosen):
    """The cost of each call; None if there is none."""
    arguments = [{"number": number, **recorded(call)} for number, call in enumerate(chosen)]
    numbers = dict(
        connection.execute(
            """
            SELECT orchestrator.record_llm_call(c.model, c.input_tokens, c.output_tokens, c.cache_read_tokens,
                       c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                       service_tier => c.service_tier, inclusive => c.inclusive), c.number
            FROM jsonb_to_recordset(%s) AS c (number integer, model text, service_tier text, inclusive boolean,
                       input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
                       cache_write_1h_tokens bigint, reasoning_tokens bigint)
            """,
            [json.dumps(arguments)],
        )
    )
    costs = [None] * len(chosen)
    for call_id, cost in connection.execute("SELECT c.id, c.cost FROM orchestrator.llm_usage_costs AS c"):
        costs[numbers[call_id]] = cost
    return costs


def check_report(connection):
    """The report adds calls up before it prices them. Its costs are the sums of those of the calls."""
    differing = connection.execute(
        """
        SELECT d.model, d.cost, c.cost
        FROM (SELECT model, sum(cost) AS cost FROM orchestrator.llm_cost_by_day GROUP BY model) AS d
        FULL JOIN (SELECT model, sum(cost) AS cost FROM orchestrator.llm_usage_costs GROUP BY model) AS c USING (model)
        WHERE d.cost IS DISTINCT FROM c.cost ORDER BY d.model
        """
    ).fetchall()
    if differing:
        model, report, sum_of_calls = differing[0]
        sys.exit(
            f"llm_cost_by_day differs from the sum of the calls for {len(differing)} models, such as {model}: "
            f"{report}, and the sum is {sum_of_calls}"
        )
    print("llm_cost_by_day has the sum of these costs for each model")


def describe(call, ours, theirs):
    ours = "none" if ours is None else f"{ours.normalize():f}"
    return f"  {call}\n      here {ours}, LiteLLM {theirs:.12f}"


def compare(chosen, costs):
    """Prints how many costs are equal, and ends the program if others than the known ones differ."""
    equal = 0
    known = defaultdict(list)
    unknown = []
    for call, ours in zip(chosen, costs):
        theirs = cost_of_litellm(call)
        reason = next((difference for difference in DIFFERENCES if difference.holds(call)), None)
        if ours is not None and abs(ours - theirs) <= TOLERANCE:
            equal += 1
        elif reason and reason.is_unpriced == (ours is None):
            known[reason].append(call)
        else:
            unknown.append((call, ours, theirs))
    print(f"{equal} calls cost the same to {TOLERANCE} USD; these differ for a known reason:")
    for difference, found in known.items():
        entries = len({call.model.name for call in found})
        print(f"  {len(found)} calls of {entries} entries: {difference.reason}")
    if unknown:
        shortest = sorted(unknown, key=lambda found: sum(map(bool, found[0].tokens.values())))
        by_model = list({call.model.name: (call, ours, theirs) for call, ours, theirs in reversed(shortest)}.values())
        lines = [describe(*found) for found in by_model[::-1][:SHOWN]]
        models = f"{len(unknown)} calls of {len(by_model)} models cost something else for no known reason"
        sys.exit("\n".join([f"{models}; the simplest ones:", *lines]))
    for difference in DIFFERENCES:
        if difference not in known:
            sys.exit(f"no call differs any more for this reason; remove it from the list: {difference.reason}")


def main():
    text = PRICES.read_text(encoding="utf-8")
    models = list(chat_models(json.loads(text)))
    random.seed(SEED)
    chosen = list(calls(models))
    with psycopg.connect(autocommit=True) as connection:
        outcomes = connection.execute(
            "SELECT i.outcome FROM orchestrator.import_prices(%s, '2020-01-01') AS i", [text]
        ).fetchall()
        counts = Counter(outcome for (outcome,) in outcomes)
        print(f"LiteLLM {version('litellm')}: " + ", ".join(f"{counts[name]} {name}" for name in sorted(counts)))
        print(f"{len(chosen)} calls of {len(models)} models in {len(TIERS)} tiers, seed {SEED}", flush=True)
        costs = costs_of_extension(connection, chosen)
        check_report(connection)
    compare(chosen, costs)


main()
