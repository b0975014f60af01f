"""Run the examples of docs/suppression.md against moto: each must tell the same recipients apart."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jmespath
import msgspec
import pytest

import aftersend
from aftersend.aws import clients, suppression_check
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import Entry
from tests.adapters.conftest import SESSION

pytestmark = pytest.mark.usefixtures("moto_dynamodb")

PROJECT = Path(__file__).parent.parent.parent
PAGE = (PROJECT / "docs" / "suppression.md").read_text()
TABLE, HASH_KEY = "suppressions", "a key, with 'quotes' and ü"
NOW = datetime.now(UTC)

SUPPRESSED = {
    "lasting@mail.example": [{}],
    "temporary@mail.example": [{"until": NOW + timedelta(hours=1)}],
    "new-again@mail.example": [{"lifted_by": "removed-by-operator", "until": NOW}, {"scope": "stream#newsletter"}],
}
NOT_SUPPRESSED = {
    "unknown@mail.example": [],
    "ended@mail.example": [{"until": NOW - timedelta(hours=1)}],
    "lifted@mail.example": [{"lifted_by": "not-spam", "until": NOW - timedelta(hours=1)}],
    "lifted-early@mail.example": [{"lifted_by": "not-spam", "until": NOW + timedelta(hours=1)}],
    "other-stream@mail.example": [{"scope": "stream#receipts"}],
}
FORGOTTEN = "forgotten@mail.example"


@pytest.fixture
def table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Generator[SuppressionsTable]:
    """Return the table with the entries above, which every default session and client reads."""
    monkeypatch.setattr("boto3.DEFAULT_SESSION", SESSION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", SESSION.region_name)
    table = SuppressionsTable(dynamodb, TABLE)
    for recipient, entries in (SUPPRESSED | NOT_SUPPRESSED).items():
        for fields in entries:
            entry: dict[str, Any] = {"recipient": recipient, "reason": "bounce", "rule": "hard-bounce"} | fields
            table.replace(None, new=Entry(**entry))
    tombstone = {PARTITION_KEY: "forgotten", SORT_KEY: keyed_hash(FORGOTTEN, HASH_KEY)}
    dynamodb.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in tombstone.items()})
    clients.client.cache_clear()
    yield table
    clients.client.cache_clear()


def blocks(language: str, heading: str = "") -> list[str]:
    """Return the code of a language, below a heading where one is given."""
    section = PAGE.partition(f"\n{heading}\n")[2] if heading else PAGE
    section = re.split(r"^#{2,3} ", section, maxsplit=1, flags=re.MULTILINE)[0] if heading else section
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def verdicts(is_suppressed: Callable[[str], bool]) -> dict[str, bool]:
    return {recipient: is_suppressed(recipient) for recipient in [*SUPPRESSED, *NOT_SUPPRESSED, FORGOTTEN]}


EXPECTED = verdicts(lambda recipient: recipient in SUPPRESSED or recipient == FORGOTTEN)


def test_check_tells_recipients_apart(table: SuppressionsTable, dynamodb: Any):
    def is_suppressed(recipient: str) -> bool:
        result = aftersend.check([recipient], "newsletter", table=TABLE, client=dynamodb, hash_key=HASH_KEY)
        assert (result.allowed == []) is bool(result.suppressed)
        return bool(result.suppressed)

    assert verdicts(is_suppressed) == EXPECTED


def test_examples_of_check_run(
    table: SuppressionsTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    secret = SESSION.client("secretsmanager").create_secret(Name="hash-key", SecretString=HASH_KEY)
    monkeypatch.setenv(suppression_check.SECRET_VARIABLE, secret["ARN"])
    monkeypatch.setenv(suppression_check.TABLE_VARIABLE, TABLE)
    table.replace(None, new=Entry(recipient="ann@mail.example", reason="bounce", rule="hard-bounce"))
    exec("".join(blocks("python", "## Ask before sending")), {})  # noqa: S102 (our own page)
    assert capsys.readouterr().out.splitlines() == [
        "send to reader@mail.example",
        "do not send to Ann <ANN@mail.example>: hard-bounce since None, until None",
    ]


def test_boto3_example_tells_recipients_apart(table: SuppressionsTable):
    [example] = blocks("python", "### boto3")
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 (our own page)
    scopes = ("*", "stream#newsletter")
    assert verdicts(lambda recipient: names["is_suppressed"](recipient, TABLE, HASH_KEY, scopes)) == EXPECTED


SDK = """
import { readFileSync } from "node:fs";
const items = JSON.parse(readFileSync(process.env.ITEMS, "utf8"));
export class DynamoDBClient {
  async send({ RequestItems }) {
    const [[table, { Keys }]] = Object.entries(RequestItems);
    const [first, ...rest] = Keys;
    const same = (item) => ["partition_key", "sort_key"].every((name) => item[name].S === first[name].S);
    const UnprocessedKeys = rest.length ? { [table]: { Keys: rest } } : {};
    return { Responses: { [table]: items.filter(same) }, UnprocessedKeys };
  }
}
export class BatchGetItemCommand { constructor(input) { Object.assign(this, input); } }
"""
"""The two classes of the SDK that the example uses. Each answer leaves all keys but one unprocessed."""

ASK_ALL = """
import { isSuppressed } from "./example.mjs";
const [table, key, ...recipients] = process.argv.slice(2);
const answers = {};
for (const each of recipients) answers[each] = await isSuppressed(each, table, key, ["*", "stream#newsletter"]);
console.log(JSON.stringify(answers));
"""


def test_javascript_example_tells_recipients_apart(table: SuppressionsTable, dynamodb: Any, tmp_path: Path):
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if node is None:
        pytest.skip("there is no node")
    [example] = blocks("javascript", "### JavaScript (AWS SDK v3)")
    sdk = tmp_path / "node_modules" / "@aws-sdk" / "client-dynamodb"
    sdk.mkdir(parents=True)
    (sdk / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
    (sdk / "index.js").write_text(SDK)
    (tmp_path / "example.mjs").write_text(example.replace("1000 * Math.random()", "0"))
    (tmp_path / "ask.mjs").write_text(ASK_ALL)
    (tmp_path / "items.json").write_text(json.dumps(dynamodb.scan(TableName=TABLE)["Items"]))
    command = [node, tmp_path / "ask.mjs", TABLE, HASH_KEY, *EXPECTED]
    environment = {"ITEMS": str(tmp_path / "items.json")}
    answer = subprocess.run(command, env=environment, check=True, capture_output=True)
    assert json.loads(answer.stdout) == EXPECTED


PRINT_ARGUMENTS = f"""#!{sys.executable}
import json, sys
print(json.dumps(sys.argv[1:]))
"""


def test_command_line_example_tells_recipients_apart(table: SuppressionsTable, dynamodb: Any, tmp_path: Path):
    """The examples run in a shell; `aws` prints its arguments, with which moto is then asked."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    (tmp_path / "aws").write_text(PRINT_ARGUMENTS)
    (tmp_path / "aws").chmod(0o755)
    script = "".join(blocks("sh", "### AWS CLI"))

    def scopes(recipient: str) -> list[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TABLE": TABLE, "HASH_KEY": HASH_KEY}
        asked = script.replace("reader@mail.example", recipient)
        answer = subprocess.run(["/bin/bash", "-euc", asked], env=environment, check=True, capture_output=True)
        return [row[0] for line in answer.stdout.splitlines() for row in ask(json.loads(line))]

    def ask(arguments: list[str]) -> list[list[str]]:
        service, operation, *rest = arguments
        assert (service, operation) == ("dynamodb", "query")
        options = dict(zip(rest[::2], rest[1::2], strict=True))
        query, _ = options.pop("--query"), options.pop("--output")
        parameters = {
            "".join(word.title() for word in name.strip("-").split("-")): json.loads(text) if text[0] == "{" else text
            for name, text in options.items()
        }
        return jmespath.search(query, dynamodb.query(**parameters))

    assert (
        verdicts(lambda recipient: bool({"*", "stream#newsletter", "forgotten"} & set(scopes(recipient)))) == EXPECTED
    )


def test_page_names_every_attribute_of_an_entry():
    section = PAGE.partition("### Key and attributes")[2].partition("\n### ")[0]
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert (
        set(msgspec.structs.asdict(Entry(recipient="", reason="", rule=""))) | {PARTITION_KEY, SORT_KEY} <= documented
    )


def test_page_names_every_argument_and_result_of_check():
    section = PAGE.partition("## Ask before sending")[2].partition("\n## ")[0]
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    arguments = {*aftersend.check.__annotations__} - {"return"}
    assert documented == arguments | set(aftersend.CheckResult.__struct_fields__)
