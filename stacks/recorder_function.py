"""Create a function that records events and updates suppression entries."""

from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import Variable
from stacks.function import HandlerFunction, to_json
from stacks.state import State


def recorder_settings(environment: Environment, state: State) -> dict[Variable, str]:
    """Return the settings of aftersend.recorder.Recorder, which each function has that records or decides."""
    return {
        Variable.ENVIRONMENT: environment.name,
        Variable.LEDGER_TABLE: state.ledger.table_name,
        Variable.SUPPRESSIONS_TABLE: state.suppressions.table_name,
        Variable.HASH_KEY_SECRET: state.recipient_hash_key.secret_arn,
        Variable.RETENTION: to_json(environment.retention),
        Variable.POLICY: to_json(environment.suppression),
    }


class RecorderFunction(HandlerFunction):
    """A function with the settings and the permissions of aftersend.recorder.Recorder."""

    def __init__(
        self, scope: Construct, id: str, *, file: str, description: str, environment: Environment, state: State
    ) -> None:
        settings = recorder_settings(environment, state) | {Variable.PARSING: to_json(environment.parsing)}
        super().__init__(scope, id, file=file, description=description, environment=environment, settings=settings)
        state.ledger.grant(self.function, "dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query")
        state.suppressions.grant(self.function, "dynamodb:Query", "dynamodb:PutItem")
        self.function.add_to_role_policy(state.hash_key_statement())
