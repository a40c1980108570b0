"""Rows and their JSON Schema from json_schema(): an ordinary validator accepts every row and refuses
damaged ones, and a Pydantic model generated from the schema loads every row.

Reads a list of {"table", "schema", "rows"} from the file that is named; models go into the folder
that is named second.
"""

import importlib.util
import json
import sys
from pathlib import Path

from datamodel_code_generator import DataModelType, InputFileType, generate
from jsonschema import Draft202012Validator


def spoilt(schema, row):
    """Copies of a row, each with one thing wrong."""
    for name, column in schema["properties"].items():
        yield name, {key: value for key, value in row.items() if key != name}
        if "enum" in column:
            yield name, row | {name: "banana"}
        kinds = column.get("type", [])
        if kinds == "string":
            yield name, row | {name: None}
        if kinds and "string" not in kinds:
            yield name, row | {name: "text"}
        if column.get("format") == "uuid" or "anyOf" in column:
            yield name, row | {name: "banana"}


def check_validator(table, schema, rows):
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for row in rows:
        validator.validate(row)
    refused = 0
    for name, row in spoilt(schema, rows[0]):
        if validator.is_valid(row):
            sys.exit(f"{table}: a row with a wrong {name} passes: {row}")
        refused += 1
    return refused


def generated(table, schema, folder):
    """The Pydantic model of a schema."""
    target = folder / f"{table}.py"
    generate(
        json.dumps(schema),
        input_file_type=InputFileType.JsonSchema,
        output=target,
        output_model_type=DataModelType.PydanticV2BaseModel,
        class_name="Row",
        formatters=[],
    )
    spec = importlib.util.spec_from_file_location(table, target)
    module = importlib.util.module_from_spec(spec)
    sys.modules[table] = module
    spec.loader.exec_module(module)
    return module.Row


def main(data, folder):
    folder.mkdir(parents=True, exist_ok=True)
    tables = json.loads(data.read_text())
    filled = [each for each in tables if each["rows"]]
    for each in filled:
        table, schema, rows = each["table"], each["schema"], each["rows"]
        refused = check_validator(table, schema, rows)
        model = generated(table, schema, folder)
        for row in rows:
            model.model_validate(row)
        print(f"{table}: {len(rows)} rows valid and loaded, {refused} spoilt ones refused")
    for needed in ("orchestrator_runs", "human_review_queue"):
        if needed not in [each["table"] for each in filled]:
            sys.exit(f"{needed} has no row to check")
    for each in tables:
        Draft202012Validator.check_schema(each["schema"])


main(Path(sys.argv[1]), Path(sys.argv[2]))
