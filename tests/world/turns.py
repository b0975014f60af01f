"""Run functions at the same time: threads that take turns at their calls, in an order the world's seed decides."""

import threading
from collections.abc import Callable, Sequence

from tests.world.world import World

SWITCH_RATE = 0.4
"""How often another function goes on at a call. Low, because most goes wrong when one function overtakes all others."""


class Turns:
    """Let one of several threads run at a time; each waits for its turn before every call."""

    def __init__(self, functions: Sequence[Callable[[], object]]) -> None:
        self.functions = functions
        self.running = list(range(len(functions)))
        self.exceptions: list[BaseException] = []
        self._turns = [threading.Semaphore(0) for _ in functions]
        self._returned = threading.Semaphore(0)
        self._thread = threading.local()

    def start(self) -> None:
        for number in self.running:
            threading.Thread(target=self.run, args=(number,), daemon=True).start()

    def run(self, number: int) -> None:
        """Run a function in the current thread, from its first turn on."""
        self._thread.turn = self._turns[number]
        self._thread.turn.acquire()
        try:
            self.functions[number]()
        except BaseException as error:  # noqa: BLE001 (for the test to look at)
            self.exceptions.append(error)
        finally:
            self.running.remove(number)
            self._returned.release()

    def wait(self) -> None:
        """Return the turn and wait for the next one."""
        self._returned.release()
        self._thread.turn.acquire()

    def give(self, number: int) -> None:
        """Let a function go on to its next call, or to its end."""
        self._turns[number].release()
        self._returned.acquire()


def take_turns(world: World, functions: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Run the functions together to their ends, and return the exceptions that ended some of them."""
    turns = Turns(functions)
    world.before_call = turns.wait
    turns.start()
    current = world.rng.choice(turns.running)
    while turns.running:
        if current not in turns.running or world.rng.random() < SWITCH_RATE:
            current = world.rng.choice(turns.running)
        turns.give(current)
    world.before_call = lambda: None
    return turns.exceptions
