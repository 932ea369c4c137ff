"""The two contracts keep the rules that hosts, Connexion, the handlers and the reference pages rely on."""

import builtins
import importlib
import inspect
import keyword
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator, validate
from openapi_spec_validator.readers import read_from_filename

from dev.processes import ROOT
from tests.resolved import resolved
from todo.contract import API, METHODS, ON_THE_LOOP, SITE, SPEC, Contract, Operation
from todo.domain.users import Owner

JSON = dict[str, Any]
Place = tuple[str, ...]

CONTRACTS = (API, SITE)
OPERATIONS = [(contract, operation) for contract in CONTRACTS for operation in contract.operations]
RAW = {contract: read_from_filename(str(SPEC / contract.name)) for contract in CONTRACTS}
RESOLVED = {contract: resolved(contract) for contract in CONTRACTS}


def walk(node: Any, place: Place = ()) -> Iterator[tuple[Place, JSON]]:
    """Yields every object of a contract as it is written, with its place, but nothing inside an example."""
    if isinstance(node, dict):
        yield place, node
        for key, child in node.items():
            if key != "example":
                yield from walk(child, (*place, str(key)))


def is_schema(place: Place) -> bool:
    parent, key = ("", "", *place)[-2:]
    return parent in ("schemas", "properties") or key in ("schema", "items", "additionalProperties")


NODES = [(contract, place, node) for contract in CONTRACTS for place, node in walk(RAW[contract][0])]


def where(value: Any) -> str | None:
    """Names a test's case after the contract, the operation or the place that it is about."""
    if isinstance(value, Contract):
        return value.name
    if isinstance(value, Operation):
        return value.id
    return "/".join(value) if isinstance(value, tuple) else None


def resolved(contract: Contract, place: Place) -> JSON:
    """Returns what is written at `place`, with what each $ref refers to in its stead."""
    node: Any = RESOLVED[contract]
    for key in place:
        node = node[key]
    return node


def whole(contract: Contract, operation: Operation) -> JSON:
    """Returns the description of an operation without any $ref."""
    return resolved(contract, ("paths", operation.path, operation.method.lower()))


SOURCES = (".py", ".html")
SESSION: list[JSON] = [{"session": []}]
OPTIONAL_SESSION: list[JSON] = [*SESSION, {}]

each_operation = pytest.mark.parametrize(("contract", "operation"), OPERATIONS, ids=where)
each_api_operation = pytest.mark.parametrize("operation", API.operations, ids=where)


# What a document must be.


@pytest.mark.parametrize("contract", CONTRACTS, ids=where)
def test_file_is_valid_openapi(contract: Contract) -> None:
    document, address = RAW[contract]
    assert document["openapi"] == "3.0.3"
    validate(document, base_uri=address, cls=OpenAPIV30SpecValidator)


@pytest.mark.parametrize("contract", CONTRACTS, ids=where)
def test_file_is_no_template(contract: Contract) -> None:
    # Connexion passes a file through Jinja before it reads it.
    assert "{{" not in contract.text


@pytest.mark.parametrize("contract", CONTRACTS, ids=where)
def test_parameters_stand_on_operations_only(contract: Contract) -> None:
    # Connexion repeats the parameters of a path six times.
    assert {key for item in RAW[contract][0]["paths"].values() for key in item} <= set(METHODS)


def test_only_deep_research_has_names_of_its_own() -> None:
    names = {o.id: o.spec["x-mcp-name"] for _, o in OPERATIONS if "x-mcp-name" in o.spec}
    assert names == {"search_todos": "search", "fetch_todo": "fetch"}


def test_operation_ids_are_unique() -> None:
    ids = [operation.id for _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_only_delete_by_index_is_deprecated() -> None:
    assert [o.id for _, o in OPERATIONS if "deprecated" in o.spec] == ["delete_todo_by_index"]


# What an operation must say.


@each_operation
def test_operation_says_what_it_is(contract: Contract, operation: Operation) -> None:
    (tag,) = operation.spec["tags"]
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,47}", operation.id)
    assert tag in [declared["name"] for declared in contract.document["tags"]]
    assert operation.spec["x-openapi-router-controller"] == f"handlers.{tag}"
    assert 0 < len(operation.spec["summary"]) <= 300
    assert 0 < len(operation.spec["description"]) <= 300


@each_operation
def test_operation_says_who_may_call_it(contract: Contract, operation: Operation) -> None:
    security = operation.spec["security"]
    assert security if contract is API else security in ([], SESSION, OPTIONAL_SESSION)


@each_operation
def test_operation_lists_every_refusal(contract: Contract, operation: Operation) -> None:
    expected = {"500"}
    if contract is API:
        expected |= {"401", "403", "429"}
    if operation.spec["security"] == SESSION:
        expected |= {"303", "429"} | ({"403"} if "requestBody" in operation.spec else set())
    if "requestBody" in operation.spec:
        expected |= {"400", "413", "415"}
    if ON_THE_LOOP in operation.spec:
        # The guard alone looks at what it takes, by the pattern of the path.
        assert "requestBody" not in operation.spec
        assert all(parameter["in"] == "path" for parameter in operation.spec.get("parameters", []))
    if operation.path == "/profiles/{username}" or re.search(r"\{(?!username\})", operation.path):
        expected |= {"404"}
    assert expected <= operation.spec["responses"].keys()


@each_api_operation
def test_write_says_whether_a_person_must_confirm(operation: Operation) -> None:
    confirms = operation.spec.get("x-openai-isConsequential")
    assert confirms is None if operation.method == "GET" else isinstance(confirms, bool)


@each_api_operation
def test_parameters_and_errors_are_shared(operation: Operation) -> None:
    errors = [response for status, response in operation.spec["responses"].items() if status >= "400"]
    assert all(node.keys() == {"$ref"} for node in [*operation.spec["parameters"], *errors])


# What the handlers must be.


def handler(operation: Operation) -> Any:
    return getattr(importlib.import_module(operation.spec["x-openapi-router-controller"]), operation.id)


@each_operation
def test_handler_is_a_function_of_its_module(contract: Contract, operation: Operation) -> None:
    function = handler(operation)
    assert inspect.isfunction(function)
    assert function.__module__ == operation.spec["x-openapi-router-controller"]
    assert inspect.iscoroutinefunction(function) == (contract is API or ON_THE_LOOP in operation.spec)


def argument(name: str) -> str:
    """Returns the Python name of a parameter, as Connexion passes it."""
    return f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


@each_operation
def test_handler_takes_what_the_contract_passes(contract: Contract, operation: Operation) -> None:
    parameters = whole(contract, operation).get("parameters", [])
    passed = [p for p in parameters if p["in"] != "header"]  # headers reach a handler by way of its principal
    expected = {argument(p["name"]) for p in passed}
    expected |= {"body"} if "requestBody" in operation.spec else set()
    expected |= {"user"} if operation.spec["security"] else set()
    may_lack = {argument(p["name"]) for p in passed if not p.get("required") and "default" not in p["schema"]}
    taken = inspect.signature(handler(operation)).parameters.values()
    if ON_THE_LOOP in operation.spec:
        expected, may_lack = {"request"}, set()
    assert {p.name for p in taken} == expected
    assert {p.name for p in taken if p.default is not p.empty} == may_lack


@pytest.mark.parametrize("operation", SITE.operations, ids=where)
def test_handler_takes_a_person_if_the_contract_requires_a_session(operation: Operation) -> None:
    user = inspect.signature(handler(operation)).parameters.get("user")
    expected = {"[]": None, str(SESSION): Owner, str(OPTIONAL_SESSION): Owner | None}[str(operation.spec["security"])]
    assert (user.annotation if user else None) == (None if ON_THE_LOOP in operation.spec else expected)


@pytest.mark.parametrize("module", sorted(f.stem for f in (ROOT / "handlers").glob("[!_]*.py")))
def test_every_public_function_is_an_operation(module: str) -> None:
    functions = inspect.getmembers(importlib.import_module(f"handlers.{module}"), inspect.isfunction)
    public = {name for name, f in functions if f.__module__ == f"handlers.{module}" and not name.startswith("_")}
    assert public == {operation.id for _, operation in OPERATIONS if operation.spec["tags"] == [module]}


# What parameters and schemas must say.


@pytest.mark.parametrize(
    ("contract", "place"),
    [(contract, place) for contract, place, node in NODES if place[-2:-1] == ("properties",)],
    ids=where,
)
def test_property_has_a_description_and_an_example(contract: Contract, place: Place) -> None:
    assert {"description", "example"} <= resolved(contract, place).keys()


@each_operation
def test_parameters_have_a_description_and_an_example(contract: Contract, operation: Operation) -> None:
    for parameter in whole(contract, operation).get("parameters", []):
        assert 0 < len(parameter["description"]) <= 700
        assert "example" in parameter or "example" in parameter["schema"]
        assert "example" in parameter or parameter["in"] != "path"


@pytest.mark.parametrize(
    ("contract", "place"),
    [(c, place) for c, place, node in NODES if "example" in node and (is_schema(place) or "schema" in node)],
    ids=where,
)
def test_example_is_valid(contract: Contract, place: Place) -> None:
    node = resolved(contract, place)
    check(node if is_schema(place) else node["schema"], node["example"])


@pytest.mark.parametrize(
    ("contract", "place"),
    [(contract, place) for contract, place, node in NODES if is_schema(place) and "default" in node],
    ids=where,
)
def test_default_is_valid(contract: Contract, place: Place) -> None:
    schema = resolved(contract, place)
    check(schema, schema["default"])


def check(schema: JSON, value: Any) -> None:
    OAS30Validator(schema, format_checker=oas30_format_checker).validate(value)


@pytest.mark.parametrize(
    ("contract", "place"),
    [(c, place) for c, place, node in NODES if is_schema(place) and node.get("type") == "integer"],
    ids=where,
)
def test_integer_says_how_many_bits_it_needs(contract: Contract, place: Place) -> None:
    schema = resolved(contract, place)
    assert schema["format"] in ("int32", "int64")
    assert schema.get("maximum", 0) < 2 ** (31 if schema["format"] == "int32" else 63)


@pytest.mark.parametrize(
    ("contract", "place"),
    [(c, place) for c, place, node in NODES if is_schema(place) and "enum" in node],
    ids=where,
)
def test_enum_with_values_has_no_null(contract: Contract, place: Place) -> None:
    # Generators that see null among texts take the enum for one of anything, or of nothing.
    schema = resolved(contract, place)
    assert schema["enum"] == [None] or None not in schema["enum"]
    # Prism adds a null where it may be null, and two are no valid enum.
    assert not schema.get("nullable")


@pytest.mark.parametrize("contract", CONTRACTS, ids=where)
def test_every_schema_is_used(contract: Contract) -> None:
    # By a contract, or where it is named: schemas that forms are checked by are named in handlers and templates.
    referred = set(re.findall(r"#/components/schemas/(\w+)", API.text + SITE.text))
    folders = ("handlers", "todo/accounts", "todo/web")
    texts = [
        file.read_text(encoding="utf-8") for f in folders for file in (ROOT / f).rglob("*") if file.suffix in SOURCES
    ]
    named = set(re.findall(r"\bschemas\.(\w+)|\"([A-Z]\w+)\"", "\n".join(texts)))
    assert contract.document["components"]["schemas"].keys() <= referred | {name for pair in named for name in pair}


@pytest.mark.parametrize("contract", CONTRACTS, ids=where)
def test_license_has_an_address(contract: Contract) -> None:
    assert contract.document["info"]["license"]["url"].startswith("https://")


# Names that a function of a generated client would hide there: those that it needs itself.
GLOBALS_OF_JAVASCRIPT = {"fetch", "search", "open", "close", "print", "find", "name", "status", "history", "location"}


@each_operation
def test_operation_id_hides_nothing_in_javascript(contract: Contract, operation: Operation) -> None:
    assert operation.id not in GLOBALS_OF_JAVASCRIPT


# What bounds a request.


def parts(schema: JSON, place: Place) -> Iterator[tuple[Place, JSON]]:
    """Yields a schema and every schema inside it."""
    yield place, schema
    for name, part in schema.get("properties", {}).items():
        yield from parts(part, (*place, name))
    if "items" in schema:
        yield from parts(schema["items"], (*place, "items"))
    for part in schema.get("oneOf", []):
        yield from parts(part, place)


def incoming(contract: Contract, operation: Operation) -> Iterator[tuple[Place, JSON]]:
    """Yields every schema that a value of a request must keep to."""
    description = whole(contract, operation)
    for parameter in description.get("parameters", []):
        yield from parts(parameter["schema"], (operation.id, parameter["name"]))
    for content in description.get("requestBody", {}).get("content", {}).values():
        yield from parts(content["schema"], (operation.id, "body"))


INCOMING = [(schema, "/".join(place)) for contract, o in OPERATIONS for place, schema in incoming(contract, o)]
each_pattern = pytest.mark.parametrize(
    "schema", [pytest.param(schema, id=name) for schema, name in INCOMING if "pattern" in schema]
)


# A server of OAuth ignores what it does not know (RFC 6749 sections 3.1 and 3.2, RFC 7591 section 2, RFC 7517).
BODIES = {"issue_token/body", "revoke_token/body", "register_client/body"}
OPEN = {"get_consent/others", "register_client/body/jwks", *BODIES}


@pytest.mark.parametrize("schema", [pytest.param(schema, id=name) for schema, name in INCOMING if name not in OPEN])
def test_what_comes_in_is_bounded(schema: JSON) -> None:
    bounds = {
        "string": {"maxLength", "pattern"},
        "integer": {"minimum", "maximum"},
        "boolean": set(),
        "array": {"maxItems"},
        "object": {"additionalProperties"},
    }
    assert {"enum", "oneOf"} & schema.keys() or bounds[schema["type"]] <= schema.keys()
    assert schema.get("additionalProperties", False) is False


@each_pattern
def test_pattern_is_about_the_whole_value(schema: JSON) -> None:
    assert (schema["pattern"][0], schema["pattern"][-1]) == ("^", "$")


@each_pattern
def test_pattern_means_the_same_in_every_language(schema: JSON) -> None:
    # Python's classes hold other characters than those of ECMA-262, of which the contract's readers make use.
    assert not re.search(r"\\[bBdDSwW]", schema["pattern"])
    # Control characters aside, white space differs by two: U+0085 is some in Python, U+FEFF in ECMA-262.
    named = ("\\ufeff", "\\u0085"), ("\\ufeff", "\\u007f-\\u009f")
    assert "\\s" not in schema["pattern"] or any(all(word in schema["pattern"] for word in both) for both in named)


@each_pattern
def test_pattern_has_an_example(schema: JSON) -> None:
    # A refusal quotes it, in place of the pattern.
    assert "example" in schema


# What the plugin host allows.


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("name_for_human", 20),
        ("name_for_model", 50),
        ("description_for_human", 100),
        ("description_for_model", 8000),
    ],
)
def test_plugin_text_fits_the_host(text: str, most: int) -> None:
    assert 0 < len(API.document["info"]["x-plugin"][text]) <= most


def test_name_for_the_model_is_one_word() -> None:
    assert re.fullmatch("[A-Za-z0-9]+", API.document["info"]["x-plugin"]["name_for_model"])


def test_answers_fit_the_host() -> None:
    assert 0 < API.limit("response_characters") < 100_000
