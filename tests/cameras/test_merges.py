"""The forest of merges against a search through the graph of merges that hold, and undoing in any order."""

from __future__ import annotations

import numpy as np
import pytest

from mien.cameras.merges import Merges
from mien.errors import UsageError


def partition(merges: Merges) -> dict[int, list[int]]:
    return {person: merges.members(person) for person in merges.people}


def by_search(count: int, edges: list[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    left = set(range(1, count + 1))
    while left:
        tree, waiting = set(), [min(left)]
        while waiting:
            here = waiting.pop()
            tree.add(here)
            waiting += [b if a == here else a for a, b in edges if here in (a, b) and not {a, b} <= tree]
        found[min(tree)] = sorted(tree)
        left -= tree
    return found


@pytest.mark.parametrize("seed", range(5))
def test_undoing_in_any_order_leaves_what_the_other_merges_say(seed):
    random = np.random.default_rng(seed)
    merges, count, held = Merges(), 30, {}
    for number in range(1, count + 1):
        merges.add(number)
    for _ in range(120):
        first, second = (random.choice(count, 2, replace=False) + 1).tolist()
        if merges.person(first) != merges.person(second):
            before = partition(merges)
            merge = merges.join(first, second, confidence=0.5)
            held[merge.merge_id] = (merge.earlier, merge.later)
            if random.random() < 0.2:
                merges.undo(merge.merge_id)
                del held[merge.merge_id]
                assert partition(merges) == before
        elif held and random.random() < 0.8:
            chosen = int(random.choice(list(held)))
            merge = merges.undo(chosen)
            assert (merge.earlier, merge.later) == held.pop(chosen)
        assert partition(merges) == by_search(count, list(held.values()))
        assert [merge.merge_id for merge in merges.merges] == sorted(held)
    assert len(held) > 3


def test_numbers_are_never_given_again():
    merges = Merges()
    for number in (1, 2):
        merges.add(number)
    first = merges.join(1, 2, confidence=1)
    merges.undo(first.merge_id)
    assert merges.join(2, 1, confidence=1).merge_id == first.merge_id + 1


def test_a_tracklet_knows_how_it_was_joined():
    merges = Merges()
    for number in (1, 2, 3):
        merges.add(number)
    merges.join(1, 2, confidence=0.7)
    later = merges.join(3, 2, confidence=0.6)
    assert merges.merge_of(3) == later
    assert merges.merge_of(1) is None


def test_forgetting_takes_everything_about_a_person():
    merges = Merges()
    for number in (1, 2, 3):
        merges.add(number)
    merges.join(1, 2, confidence=0.7)
    merges.forget([1])
    assert partition(merges) == {3: [3]}
    assert merges.merges == []
    with pytest.raises(UsageError, match="tracklet 2"):
        merges.person(2)


def test_what_makes_no_sense_is_refused():
    merges = Merges()
    for number in (1, 2):
        merges.add(number)
    merge = merges.join(1, 2, confidence=1)
    merges.undo(merge.merge_id)
    for call, code in (
        (lambda: merges.undo(merge.merge_id), "merge_unknown"),
        (lambda: merges.add(1), "tracklet_known"),
        (lambda: merges.join(1, 9, confidence=1), "tracklet_unknown"),
        (lambda: merges.join(1, 1, confidence=1), "already_merged"),
        (lambda: merges.members(7), "person_unknown"),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == code
    assert partition(merges) == {1: [1], 2: [2]}
