"""Import rows of other suppression lists as operator's acts: a hundred are read at a time, several written at once."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aftersend.aws.deployment import affects_all
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.events import ADDED
from aftersend.operations.parallel import BATCH, batched, in_parallel
from aftersend.operations.suppression_import import Row, Skipped, act_of, note_of, skip_reason
from aftersend.recipient_hash import keyed_hash
from aftersend.recorder import Recorder


class SuppressionImporter(NamedTuple):
    """Import rows into a deployment. Repeating an import continues it: what is suppressed already is skipped."""

    recorder: Recorder
    suppressions: SuppressionsTable
    hash_key: str
    operator: str
    force: bool = False
    """Whether to add recipients that an operator has removed."""
    dry_run: bool = False

    def results(self, rows: Iterable[Row | Skipped]) -> Iterator[Row | Skipped]:
        """Yield each row that was imported, and each that was skipped, as it is done.

        Raises:
            BotoCoreError, ClientError: if it would fail for every other row, too.
        """
        for batch in batched(rows, BATCH):
            wanted: dict[tuple[str, str], Row] = {}
            for result in self._checked(batch):
                if isinstance(result, Skipped):
                    yield result
                elif (result.recipient, result.scope) in wanted:
                    yield Skipped(result.line, "already-suppressed")
                else:
                    wanted[result.recipient, result.scope] = result
            yield from wanted.values() if self.dry_run else in_parallel(self._record, wanted.values())

    def _checked(self, batch: list[Row | Skipped]) -> Iterator[Row | Skipped]:
        rows = [row for row in batch if isinstance(row, Row)]
        entries = self.suppressions.entries_at((row.recipient, row.scope) for row in rows)
        hashes = {row.recipient: keyed_hash(row.recipient, self.hash_key) for row in rows}
        forgotten = self.suppressions.forgotten_among(hashes.values())
        for each in batch:
            if isinstance(each, Row):
                entry, is_forgotten = entries.get((each.recipient, each.scope)), hashes[each.recipient] in forgotten
                reason = skip_reason(each, entry, is_forgotten=is_forgotten, force=self.force)
                yield Skipped(each.line, reason) if reason else each
            else:
                yield each

    def _record(self, row: Row) -> Row | Skipped:
        try:
            self._record_act(row)
        except Exception as error:  # each row fails alone
            cause = error.__cause__ or error
            if affects_all(cause):
                raise cause from error
            return Skipped(row.line, "failed")
        return row

    def _record_act(self, row: Row) -> None:
        """Record the act by which a row is imported; a forced one anew, after the removal that it overrules."""
        if self.force:
            self.recorder.record_operator_act(ADDED, row.address, self.operator, note_of(row), row.scope)
        else:
            self.recorder.record([act_of(row, self.operator, self.recorder.now())])
