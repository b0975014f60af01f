"""Functions that run at once: threads that take turns at their calls, in an order drawn from the world's seed."""

import threading
from collections.abc import Callable, Sequence

from tests.world.world import World

CHANGING = 0.4
"""How often another goes on: one that is overtaken by all that others do is what goes wrong most easily."""


def take_turns(world: World, functions: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Run the functions together to their ends; the exceptions some ended with."""
    turns = [threading.Semaphore(0) for _ in functions]
    handed_back = threading.Semaphore(0)
    mine = threading.local()
    raised: list[BaseException] = []

    def wait_for_turn() -> None:
        handed_back.release()
        mine.turn.acquire()

    def body(number: int) -> None:
        mine.turn = turns[number]
        mine.turn.acquire()
        try:
            functions[number]()
        except BaseException as error:  # noqa: BLE001 (for the test to look at)
            raised.append(error)
        finally:
            running.remove(number)
            handed_back.release()

    running = list(range(len(functions)))
    threads = [threading.Thread(target=body, args=(number,), daemon=True) for number in running]
    world.yield_turn = wait_for_turn
    for thread in threads:
        thread.start()
    current = world.draw.choice(running)
    while running:
        if current not in running or world.draw.random() < CHANGING:
            current = world.draw.choice(running)
        turns[current].release()
        handed_back.acquire()
    world.yield_turn = lambda: None
    return raised
